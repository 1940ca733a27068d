import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * The token that lets runners register, in a file that its owner alone can read. It is made once and stays, so that a runner
 * of one's own may come back after the mesh was started again. A file without a token is as good as none.
 */
export function prepareRegistrationToken(file: string): string {
  const kept = existsSync(file) ? readFileSync(file, 'utf8').trim() : '';
  if (kept !== '') {
    chmodSync(file, 0o600);
    return kept;
  }
  const made = randomBytes(32).toString('hex');
  mkdirSync(dirname(file), { recursive: true });
  // It gets its name when all of it is there: what is full or stopped half way leaves no half of a token.
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, `${made}\n`, { mode: 0o600 });
  renameSync(draft, file);
  return made;
}
