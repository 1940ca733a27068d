import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { rooms, type Room } from '../../tools/lint/rooms.ts';

const root = resolve(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

const cellsOf = (line: string): readonly string[] =>
  line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());

const rowOf = (name: string, room: Room): readonly string[] => [
  `\`${name}\``,
  room.pure === true ? `${room.purpose} (pure)` : room.purpose,
  room.ours.join(', ') || '-',
  room.packages.map((pattern) => `\`${pattern}\``).join(', ') || '-',
];

describe('the architecture page', () => {
  const rows = read('docs/architecture.md').split('\n').map(cellsOf);

  it.each(Object.entries(rooms))('says of %s what the import table says', (name, room) => {
    expect(rows).toContainEqual(rowOf(name, room));
  });
});

describe('the decision records', () => {
  const files = readdirSync(join(root, 'docs/decisions')).filter((file) => file !== 'README.md');
  const index = read('docs/decisions/README.md').split('\n').map(cellsOf);
  const numbers = files.map((file) => file.slice(0, 4)).toSorted();

  it('are numbered without a gap', () => {
    expect(numbers).toEqual(numbers.map((_, n) => String(n + 1).padStart(4, '0')));
  });

  it.each(files)('%s has the fixed form and stands in the index', (file) => {
    const [, number, title, status, date] =
      /^# (\d{4}): (.+)\n\n- Status: (accepted|superseded by \d{4})\n- Date: (\d{4}-\d{2}-\d{2})\n/.exec(
        read(`docs/decisions/${file}`),
      ) ?? [];
    const sections = read(`docs/decisions/${file}`).match(/^## .+$/gm);
    expect(number).toBe(file.slice(0, 4));
    expect(sections).toEqual(['## Context', '## Decision', '## Consequences']);
    expect(index).toContainEqual([`[${number}](${file})`, title, status, date]);
  });
});

describe('links between pages', () => {
  const pages = ['README.md', 'CONTRIBUTING.md', ...pagesIn('docs')].filter((page) => existsSync(join(root, page)));
  const links = pages.flatMap((page) =>
    [...read(page).matchAll(/\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)/g)].map(([, target = '']) => [page, target] as const),
  );

  it.each(links)('from %s to %s lead somewhere', (page, target) => {
    expect(existsSync(join(root, dirname(page), target))).toBe(true);
  });
});

function pagesIn(folder: string): readonly string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.md'))
    .map((path) => `${folder}/${path}`);
}
