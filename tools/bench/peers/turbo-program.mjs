import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import turboPackage from 'turbo/package.json' with { type: 'json' };

/** Where Turborepo is started, as people start it. To be loaded once the peers are installed. */
const folder = dirname(createRequire(import.meta.url).resolve('turbo/package.json'));
export const turboProgram = join(folder, turboPackage.bin.turbo);
