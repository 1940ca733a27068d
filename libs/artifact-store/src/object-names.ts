import { createHash } from 'node:crypto';

/** The name of an object, which may have an owner. */
export const OWNED = /^([0-9a-f]{64})(?:\.[0-9a-f]{64})?$/;

/** What the names of all objects of an owner end with. */
export const suffixOf = (owner: string): string => `.${createHash('sha256').update(owner).digest('hex')}`;
