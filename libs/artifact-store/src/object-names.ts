import { createHash } from 'node:crypto';

/** The end of an object's path: its digest and, where it has an owner, whose it is. */
const NAME = /(?:^|\/)([0-9a-f]{64})(?:\.[0-9a-f]{64})?$/;

/** The digest of the object at a path, in hex; null for what is no object. */
export const hexAt = (path: string): string | null => NAME.exec(path)?.[1] ?? null;

/** What the names of all objects of an owner end with. */
export const suffixOf = (owner: string): string => `.${createHash('sha256').update(owner).digest('hex')}`;
