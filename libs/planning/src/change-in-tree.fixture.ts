import { keysOf, planned, type Files } from './planned-repository.fixture.ts';

/** The keys of the jobs that run when, in one file of a tree, a text takes the place of another. */
export function changedIn(files: Files): (path: string, from: string, to: string) => string[] {
  return (path, from, to) => {
    const before = files[path] ?? '';
    const after = before.includes(from) ? before.replace(from, to) : `${before}${from}\n`;
    return keysOf(planned(files, { ...files, [path]: after }).jobs);
  };
}
