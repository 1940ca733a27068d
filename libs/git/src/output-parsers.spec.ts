import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { BatchAnswers, type ObjectAnswer } from './batch-answers.ts';
import { parseCommitRecord } from './commit-record.ts';
import { NulRecords } from './nul-records.ts';
import { encodePath } from './path-bytes.ts';
import { RawDiffParser, type ChangedFile } from './raw-diff.ts';
import { parseTreeRecord } from './tree-listing.ts';

const ID = 'a1b2c3d4e5'.repeat(4);
const OTHER = 'f'.repeat(40);

/** A buffer cut into pieces at arbitrary places. */
function cut(whole: Buffer, at: readonly number[]): Buffer[] {
  const places = [...at.map((place) => place % (whole.length + 1)), 0, whole.length].toSorted((a, b) => a - b);
  return places.slice(1).map((end, index) => whole.subarray(places[index], end));
}

const cuts = fc.array(fc.nat(), { maxLength: 12 });
const id = fc
  .oneof(fc.constantFrom(40, 64))
  .chain((length) =>
    fc.string({ unit: fc.nat(15).map((digit) => digit.toString(16)), minLength: length, maxLength: length }),
  );
const pathBytes = fc
  .uint8Array({ minLength: 1, maxLength: 20 })
  .map((bytes) => Buffer.from(bytes.filter((byte) => byte !== 0)))
  .filter((bytes) => bytes.length > 0);

describe('records between NULs', () => {
  it('given any records, when they arrive in any pieces, then the same records come out', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 30 }).map((bytes) => Buffer.from(bytes.filter((byte) => byte !== 0)))),
        cuts,
        (records, at) => {
          const whole = Buffer.concat(records.map((record) => Buffer.concat([record, Buffer.from([0])])));
          const splitter = new NulRecords();
          const out = cut(whole, at).flatMap((piece) => splitter.add(piece).map((record) => record.toString('hex')));
          expect(out).toEqual(records.map((record) => record.toString('hex')));
          expect(splitter.unfinishedBytes).toBe(0);
        },
      ),
    );
  });

  it('given an end in the middle of a record, then the rest is counted', () => {
    const splitter = new NulRecords();
    splitter.add(Buffer.from('a\0bc'));
    splitter.add(Buffer.from('d'));
    expect(splitter.unfinishedBytes).toBe(3);
  });
});

describe('entries of a tree', () => {
  it('given any entry as git writes it, when parsed, then nothing is lost', () => {
    const mode = fc.constantFrom('100644', '100664', '100755', '120000', '160000');
    fc.assert(
      fc.property(mode, id, pathBytes, fc.option(fc.nat()), (entryMode, entryId, path, size) => {
        const kind = entryMode === '160000' ? 'commit' : 'blob';
        const sizeText = size === null ? '' : ` ${(kind === 'commit' ? '-' : String(size)).padStart(7)}`;
        const entry = parseTreeRecord(
          Buffer.concat([Buffer.from(`${entryMode} ${kind} ${entryId}${sizeText}\t`), path]),
        );
        expect(entry).toMatchObject({ mode: entryMode, blobId: entryId });
        const encoded = encodePath(entry?.path ?? '');
        expect(encoded.ok && encoded.value.equals(path)).toBe(true);
        expect(entry?.sizeBytes).toBe(size === null || kind === 'commit' ? undefined : size);
      }),
    );
  });

  it.each([
    '',
    'x',
    `100644 blob ${ID}`,
    `100644 blob ${ID}\t`,
    `100644 tree ${ID}\ta`,
    `040000 blob ${ID}\ta`,
    `100600 blob ${ID}\ta`,
    `100644 blob ${ID.slice(1)}\ta`,
    `100644 blob ${ID.toUpperCase()}\ta`,
    `100644  blob ${ID}\ta`,
  ])('given %j, when parsed, then it is not taken for an entry', (record) => {
    expect(parseTreeRecord(Buffer.from(record))).toBeUndefined();
  });
});

function parseDiff(records: readonly string[]): (ChangedFile | 'broken')[] {
  const parser = new RawDiffParser();
  return records.flatMap((record) => parser.add(Buffer.from(record)) ?? []);
}

describe('differences', () => {
  it('given changes of every status, when parsed, then places, ids and modes are told', () => {
    const changes = parseDiff([
      `:000000 100644 ${'0'.repeat(40)} ${ID} A`,
      'new',
      `:100644 000000 ${ID} ${'0'.repeat(40)} D`,
      ':looks:like a header',
      `:100644 100755 ${ID} ${OTHER} R087`,
      'from\nhere',
      'to there',
      `:100644 100644 ${ID} ${ID} C100`,
      'a',
      'b',
      `:100644 120000 ${ID} ${OTHER} T`,
      'kind',
    ]);
    expect(changes).toEqual([
      { status: 'A', path: 'new', oldBlobId: null, newBlobId: ID, oldMode: null, newMode: '100644' },
      { status: 'D', path: ':looks:like a header', oldBlobId: ID, newBlobId: null, oldMode: '100644', newMode: null },
      {
        status: 'R',
        path: 'to there',
        oldPath: 'from\nhere',
        oldBlobId: ID,
        newBlobId: OTHER,
        oldMode: '100644',
        newMode: '100755',
        similarity: 87,
      },
      {
        status: 'C',
        path: 'b',
        oldPath: 'a',
        oldBlobId: ID,
        newBlobId: ID,
        oldMode: '100644',
        newMode: '100644',
        similarity: 100,
      },
      { status: 'T', path: 'kind', oldBlobId: ID, newBlobId: OTHER, oldMode: '100644', newMode: '120000' },
    ]);
  });

  it.each([
    '',
    'path',
    `:100644 100644 ${ID} ${OTHER} X`,
    `:100644 100644 ${ID} ${OTHER}`,
    `100644 100644 ${ID} ${OTHER} M`,
  ])('given %j where a header belongs, when parsed, then it is broken', (record) => {
    expect(parseDiff([record])).toEqual(['broken']);
  });

  it('given a header without a path, when the records end, then that is seen', () => {
    const parser = new RawDiffParser();
    parser.add(Buffer.from(`:100644 100644 ${ID} ${OTHER} M`));
    expect(parser.unfinished).toBe(true);
    expect(parser.add(Buffer.alloc(0))).toBe('broken');
  });
});

describe('answers of cat-file', () => {
  const answer = fc.oneof(
    fc.record({ id, type: fc.constantFrom('blob', 'tree', 'commit'), content: fc.uint8Array({ maxLength: 60 }) }),
    fc.record({ id }),
  );

  it('given any objects, when their answers arrive in any pieces, then the same objects come out', () => {
    fc.assert(
      fc.property(fc.array(answer, { maxLength: 8 }), cuts, (objects, at) => {
        const expected: ObjectAnswer[] = objects.map((object) =>
          'content' in object
            ? {
                kind: 'found',
                id: object.id,
                type: object.type,
                sizeBytes: object.content.length,
                content: Buffer.from(object.content),
              }
            : { kind: 'missing', id: object.id },
        );
        const whole = Buffer.concat(
          expected.map((object) =>
            object.kind === 'missing'
              ? Buffer.from(`${object.id} missing\n`)
              : Buffer.concat([
                  Buffer.from(`${object.id} ${object.type} ${object.sizeBytes}\n`),
                  object.content,
                  Buffer.from('\n'),
                ]),
          ),
        );
        const parser = new BatchAnswers(true);
        expect(cut(whole, at).flatMap<ObjectAnswer | 'broken'>((piece) => parser.add(piece))).toEqual(expected);
      }),
    );
  });

  it('given what is no answer, or one without end, when parsed, then it is broken', () => {
    expect(new BatchAnswers(true).add(Buffer.from('fatal: no\n'))).toBe('broken');
    expect(new BatchAnswers(true).add(Buffer.alloc(1_000, 'a'))).toBe('broken');
    expect(new BatchAnswers(false).add(Buffer.from(`${ID} blob 5\n${OTHER} missing\n`))).toMatchObject([
      { kind: 'found', sizeBytes: 5 },
      { kind: 'missing' },
    ]);
  });
});

describe('commits', () => {
  it('given any bytes, when parsed, then it does not throw, and a record without a tree is none', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(parseCommitRecord(Buffer.from(bytes))).toBeUndefined();
      }),
    );
  });

  it('given headers twice, when parsed, then the first counts; given no message, then it is empty', () => {
    const record = `${ID}\ntree ${OTHER}\ntree ${ID}\nparent ${ID}\nparent ${OTHER}\nauthor x\n`;
    expect(parseCommitRecord(Buffer.from(record))).toMatchObject({
      treeId: OTHER,
      parents: [ID, OTHER],
      author: { name: '', email: '', timeMs: 0 },
      subject: '',
      message: '',
    });
  });

  it('given a very long signature line, when parsed, then it is read like a short one', () => {
    const record = `${ID}\ntree ${OTHER}\nauthor ${'a <'.repeat(200_000)}\n\n    x`;
    expect(parseCommitRecord(Buffer.from(record))?.subject).toBe('x');
  });
});
