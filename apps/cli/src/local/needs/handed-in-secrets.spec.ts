import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';

const SOURCES = dirname(dirname(import.meta.dirname));

/** Sources that load a room as soon as they are loaded themselves, those of specs not counted. */
function loadersOf(room: string): string[] {
  const sources = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' }).filter((file) =>
    /(?<!\.spec|\.fixture)\.ts$/u.test(file),
  );
  const loads = new RegExp(`^(?:import|export)(?! type) [^;]*from '@delta-ci/${room}';$`, 'mu');
  return sources.filter((file) => loads.test(readFileSync(join(SOURCES, file), 'utf8')));
}

describe('the room that masking comes from', () => {
  it('is loaded where secrets are handed in, and by nobody else: it brings a framework that takes its time', () => {
    expect(loadersOf('service')).toEqual([]);
    expect(loadersOf('sandbox')).not.toEqual([]);
  });
});
