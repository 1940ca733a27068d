import { fileNameOf } from '../tree-paths.ts';

export function isNxSettings(path: string): boolean {
  return fileNameOf(path) === 'nx.json';
}

export function isNxProject(path: string): boolean {
  return fileNameOf(path) === 'project.json';
}
