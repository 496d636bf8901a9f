import { OPERATOR_MUTANTS } from '../../operator/sim/mutants.ts';
import { MUTANTS } from '../../store/sim/mutants/mutants.ts';
import { applyMutant } from './apply-mutant.ts';

/** Loaded before a test: the program that it tests is the mutant that the environment names. */
applyMutant([...MUTANTS, ...OPERATOR_MUTANTS].find(({ name }) => name === process.env.KVORUM_MUTANT));
