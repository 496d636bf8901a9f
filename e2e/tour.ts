import { oneNodeTour } from './tour/one-node.ts';
import { threeNodesTour } from './tour/three-nodes.ts';

/** `./dev.sh tour`: the README's tour as a test. */
await oneNodeTour();
await threeNodesTour();
process.stdout.write('tour: the tour holds\n');
