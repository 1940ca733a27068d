import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Where a distribution keeps what its toolchains do not work without, whichever version is there: links lead here from below
 * /usr/lib. Java and PHP of Debian and Ubuntu have all of their settings there.
 */
const OF_TOOLCHAINS = /^(?:java-\d+-openjdk|php\/\d+\.\d+\/(?:cli|mods-available))$/u;

/**
 * Directories of `/etc`, by name, that toolchains of the distribution read.
 *
 * @param etc absolute path of that directory
 */
export function etcOfToolchains(etc: string): readonly string[] {
  const within = (name: string): readonly string[] => {
    const at = join(etc, name);
    return existsSync(at) && statSync(at).isDirectory() ? readdirSync(at).map((each) => join(name, each)) : [];
  };
  const names = [...within('.'), ...within('php').flatMap(within)];
  return names.filter((name) => OF_TOOLCHAINS.test(name) && statSync(join(etc, name)).isDirectory()).sort();
}
