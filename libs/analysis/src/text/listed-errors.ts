import { linearPattern } from './linear-pattern.ts';
import { repositoryPath, type Location } from './locations.ts';
import type { LogLine } from './log-lines.ts';

/** An error of a listing that names the file once, above all that is wrong with it, as ESLint's does. */
export interface ListedError {
  readonly location: Location;
  readonly message: string;
  readonly line: LogLine;
}

const FILE = linearPattern('^(?P<path>/\\S+)$');
const ERROR = linearPattern('^\\s+(?P<line>[0-9]{1,8}):[0-9]{1,8}\\s+error\\s+(?P<message>.+)$');

/** The first error listed before a line (its summary); null when there is no such listing. */
export function firstListedError(lines: readonly LogLine[], before: number): ListedError | null {
  let path: string | null = null;
  for (const line of lines) {
    if (line.number >= before) return null;
    if (line.text.startsWith('/')) path = repositoryPath(FILE.find(line.text)?.['path'] ?? '', '');
    const error = path !== null && line.text.includes(' error ') ? ERROR.find(line.text) : null;
    if (error === null || path === null) continue;
    const number = Number(error['line']);
    return { location: { path, line: number >= 1 ? number : null }, message: error['message'] ?? '', line };
  }
  return null;
}
