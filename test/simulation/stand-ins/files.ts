import { CHECKPOINT_PUBLIC_KEY, FORGES_FILE_TEXT } from '../world/settings.ts';

/** Stands in for the few files that services read, and for directories that nobody in a simulated world looks into. */

const done = (): Promise<void> => Promise.resolve();

export const mkdir = done;
export const rm = done;
export const access = done;
/** For archives of caches, which jobs of the simulated world have none of. */
export const open = (): Promise<never> => Promise.reject(new Error('there are no caches'));
export const constants = { R_OK: 4, W_OK: 2 };

export const readdir = (): Promise<string[]> => Promise.resolve(['simulated.pem']);

/** The key of checkpoints, and the forge settings: the files that are read. */
export const readFile = (path: string): Promise<string> =>
  Promise.resolve(path.endsWith('.pem') ? CHECKPOINT_PUBLIC_KEY : FORGES_FILE_TEXT);

/** Stands in for a gateway's private files: every gateway of the installation finds the same. */
export function readOrMake(path: string, _make: () => string): Promise<{ text: string; made: boolean }> {
  const digit = path.endsWith('.key') ? '5' : '6';
  return Promise.resolve({ text: digit.repeat(64), made: false });
}

/** Stands in for the runner's own work directory. */
export const ownWorkDirectory = (dataDir: string): Promise<string> => Promise.resolve(`${dataDir}/work`);

export const leaveWorkDirectory = done;
export const removeForsaken = done;
