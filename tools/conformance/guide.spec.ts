import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { ErrorBody, RUNNER_ENDPOINTS, type Endpoint } from '@delta-ci/contracts';
import { z } from 'zod';
import { GATEWAY_REQUIREMENTS } from './gateway/requirements.ts';
import { RUNNER_REQUIREMENTS } from './runner/requirements.ts';
import { callOf, problemWith } from './runner/calls.ts';

const GUIDE = readFileSync(join(dirname(dirname(import.meta.dirname)), 'docs', 'runner-protocol.md'), 'utf8');
const LEASE_ID = 'a'.repeat(64);

interface Example {
  readonly head: string;
  readonly type: string;
  readonly body: string;
}

/** Requests and answers of the guide: each begins with a line of its own, headers, and an empty line. */
const EXAMPLES = [...GUIDE.matchAll(/```http\n(.*?)```/gs)].map(([, text = '']) =>
  text.split(/^(?=(?:GET|POST|PUT|HTTP)\b)/m).map((part): Example => {
    const [heads = '', ...rest] = part.split('\n\n');
    const [head = '', ...headers] = heads.split('\n');
    const type = headers.find((header) => header.startsWith('Content-Type: '))?.slice(14) ?? 'application/json';
    return { head, type, body: rest.join('\n\n').trim() };
  }),
);

const CALLS = EXAMPLES.filter(([{ head } = { head: '' }]) => !head.startsWith('HTTP'));

describe('the guide', () => {
  it.each(CALLS.map((call) => [call[0]?.head ?? '', call] as const))(
    '%s is what the gateway takes and answers',
    (_, call) => {
      const [asked, answered] = call;
      const [method = '', target = ''] = asked?.head.split(' ') ?? [];
      const url = new URL(target.replace('{leaseId}', LEASE_ID), 'http://gateway');
      const { name } = callOf(method, url.pathname);
      if (name === 'none' || name === 'store') throw new Error(`${asked?.head} is no call of the protocol`);
      const noJson = asked?.type === 'application/octet-stream' || method === 'GET';
      const json: unknown = noJson ? undefined : JSON.parse(asked?.body ?? '');
      const query = Object.fromEntries(url.searchParams);
      const body = Buffer.from(asked?.body ?? '');
      expect(
        problemWith(name, { method, url: url.pathname, query, contentType: asked?.type ?? '', body, json }),
      ).toBeNull();
      const status = Number(answered?.head.split(' ')[1]);
      const { answers }: Endpoint = RUNNER_ENDPOINTS[name];
      const schema = answers[status];
      expect(Object.keys(answers)).toContain(String(status));
      const said = schema === 'bytes' ? '' : (answered?.body ?? '');
      expect(schema instanceof z.ZodType ? (schema.safeParse(JSON.parse(said)).error ?? '') : said).toBe('');
    },
  );

  it('shows every call', () => {
    const shown = CALLS.map(([{ head } = { head: '' }]) => {
      const [method = '', target = ''] = head.split(' ');
      return callOf(method, target.replace('{leaseId}', LEASE_ID).replace(/\?.*/, '')).name;
    });
    // The answer to a cancel is a report like any other.
    const missing = Object.keys(RUNNER_ENDPOINTS).filter((name) => !(shown as string[]).includes(name));
    expect(missing).toEqual(['acknowledgeCancel']);
    expect(GUIDE).toContain('`POST …/cancel-ack`');
  });

  it('shows what a no looks like', () => {
    const no = EXAMPLES.find(([{ head } = { head: '' }]) => head.startsWith('HTTP'));
    expect(ErrorBody.safeParse(JSON.parse(no?.[0]?.body ?? '')).error).toBeUndefined();
  });

  it.each([
    ...new Set(Object.values({ ...RUNNER_REQUIREMENTS, ...GATEWAY_REQUIREMENTS }).map(({ section }) => section)),
  ])('has the section %s', (section) => expect(GUIDE).toContain(`\n## ${section}\n`));
});
