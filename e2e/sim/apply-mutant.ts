import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { Mutant } from '../../store/sim/mutants/mutant.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** From now on the files of `mutant` are loaded with its edits; throws at the load where one does not fit. */
export function applyMutant(mutant: Mutant | undefined): void {
  if (mutant === undefined) throw new Error('there is no such mutant; ./dev.sh sim --mutants lists them');
  registerHooks({
    load(url, context, next) {
      const loaded = next(url, context);
      const path = url.startsWith('file:') ? fileURLToPath(url) : '';
      const edits = mutant.edits.filter(({ file }) => path === `${ROOT}${file}`);
      if (edits.length === 0) return loaded;
      let source = String(loaded.source);
      for (const { file, from, to } of edits) {
        if (source.split(from).length !== 2) throw new Error(`${file} has "${from}" not exactly once`);
        source = source.replace(from, () => to);
      }
      return { ...loaded, source };
    },
  });
}
