import { execFile } from 'node:child_process';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** POSIX counts the limit of `ulimit -f` in these. */
const BLOCK_BYTES = 512;

/** Node runs our sources as they are; only the doors of other rooms must be shown to it. */
const DOORS = `
  import { registerHooks } from 'node:module';
  const DOOR = /^@delta-ci\\/([a-z-]+)$/;
  registerHooks({
    resolve(specifier, context, next) {
      const room = DOOR.exec(specifier)?.[1];
      if (room === undefined) return next(specifier, context);
      return { url: new URL('../../libs/' + room + '/src/index.ts', ${JSON.stringify(import.meta.url)}).href, shortCircuit: true };
    },
  });
`;

/**
 * Runs a function of one of our sources in a process of its own whose files the kernel lets grow to a multiple of 512 bytes and
 * no further: the write that crosses it is short, and the one after it fails (`EFBIG`), as on a disk that fills up (`ENOSPC`).
 * @param body lines of a module in which `source` is the imported source and `given` what was given
 * @returns what the lines hand to `answer`
 */
export async function withShortFiles<T>(
  bytesMax: number,
  { source, body, given }: { source: string; body: string; given: unknown },
): Promise<T> {
  const program = `${DOORS}
    const source = await import(${JSON.stringify(pathToFileURL(source).href)});
    const given = ${JSON.stringify(given)};
    const answer = (value) => process.stdout.write(JSON.stringify(value));
    ${body}`;
  const limited = `ulimit -f ${bytesMax / BLOCK_BYTES}; exec "$@"`;
  const node = [process.execPath, '--no-warnings', '--input-type=module', '--eval', program];
  const { stdout } = await run('/bin/sh', ['-e', '-c', limited, 'sh', ...node], { env: {} });
  return JSON.parse(stdout) as T;
}
