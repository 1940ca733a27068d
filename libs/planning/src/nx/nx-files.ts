import { fileNameOf } from '../tree-paths.ts';

export function isNxSettings(path: string): boolean {
  return path.endsWith('nx.json') && fileNameOf(path) === 'nx.json';
}

export function isNxProject(path: string): boolean {
  return path.endsWith('project.json') && fileNameOf(path) === 'project.json';
}
