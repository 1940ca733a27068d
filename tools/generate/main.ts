/**
 * Writes the generated pages again: `npm run generate`, which builds the libs they are generated from first.
 * With `--check` it writes nothing and fails when a page is out of date.
 */
import { outdated, regenerate } from './checked-in.ts';
import { generators } from './generators.ts';

const checkOnly = process.argv.includes('--check');
let changed = 0;
for (const generator of generators) {
  const paths = await (checkOnly ? outdated(generator) : regenerate(generator));
  changed += paths.length;
  for (const path of paths) console.log(`${checkOnly ? 'out of date' : 'written'}: ${path} (${generator.title})`);
}
if (changed === 0) console.log('generated pages are up to date');
if (checkOnly && changed > 0) process.exitCode = 1;
