import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@jest/globals';

const DIRECTORY = join(import.meta.dirname, '..', 'golden');

/** Holds text against `golden/<name>.txt`. `DELTA_UPDATE_GOLDEN=1` writes it there: look at the difference before committing. */
export function expectGolden(name: string, text: string): void {
  const path = join(DIRECTORY, `${name}.txt`);
  if (process.env['DELTA_UPDATE_GOLDEN'] === '1') writeFileSync(path, text);
  expect(existsSync(path) ? readFileSync(path, 'utf8') : `${path} is missing`).toBe(text);
}
