import { askOwner } from './ask-owner.ts';

/**
 * A bubblewrap that works on this machine, fetched if need be.
 *
 * @throws with the reason when this host cannot have one
 */
export async function bubblewrapPath(): Promise<string> {
  const { path, reason } = await askOwner({ ask: 'find-bubblewrap' });
  if (path === null) throw new Error(reason);
  return path;
}
