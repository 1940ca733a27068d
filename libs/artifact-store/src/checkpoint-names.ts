import { createHash } from 'node:crypto';
import { Checkpoint, canonicalJson } from '@delta-ci/contracts';
import { StoreError } from './store-error.ts';

/** Positions per folder: a folder holds at most so many objects, and is found by counting. */
const POSITIONS_PER_FOLDER = 10_000;
/** Enough digits for any position, so that names sort as positions do. */
const POSITION_DIGITS = 16;
const FOLDER_DIGITS = POSITION_DIGITS - 4;
const NAME = /^(\d{16})-[0-9a-f]{16}\.json$/;
const FOLDER = /^\d{12}$/;

/** What is stored of a checkpoint. */
export const textOfCheckpoint = (checkpoint: Checkpoint): string => `${canonicalJson(checkpoint)}\n`;

/** The folder that checkpoints of a position lie in. */
export const checkpointFolder = (position: number): string =>
  digits(Math.floor(position / POSITIONS_PER_FOLDER), FOLDER_DIGITS);

/** The name of a checkpoint in its folder: its position, and enough of its digest for another of that position to have another. */
export function checkpointName(position: number, text: string): string {
  const digest = createHash('sha256').update(text).digest('hex').slice(0, 16);
  return `${digits(position, POSITION_DIGITS)}-${digest}.json`;
}

/** What sorts before every name of a later position, and after all of this one. */
export const afterCheckpoints = (position: number): string =>
  `${checkpointFolder(position)}/${digits(position, POSITION_DIGITS)}.`;

export const isCheckpointFolder = (name: string): boolean => FOLDER.test(name);

/** The position in a name; 0, which no checkpoint has, when it is not the name of one. */
export const positionInName = (name: string): number => Number(NAME.exec(name)?.[1] ?? 0);

/** @throws StoreError `digest_mismatch` when the text is no checkpoint, or not the one its name says */
export function checkpointIn(text: string, name: string): Checkpoint {
  const checkpoint = Checkpoint.safeParse(jsonIn(text)).data;
  if (checkpoint !== undefined && checkpointName(checkpoint.position, text) === name) return checkpoint;
  throw new StoreError('digest_mismatch', `${name} is not the checkpoint that was put there`);
}

const digits = (value: number, count: number): string => String(value).padStart(count, '0');

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
