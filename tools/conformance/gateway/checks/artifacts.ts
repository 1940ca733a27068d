import { ArtifactUploadAnswer, GrantUploadAnswer, type UploadGrant } from '@delta-ci/contracts';
import { digestOf } from '../../runner/lease-book.ts';
import { BYTES, type Bench, type Held } from '../bench.ts';

const GIB = 1024 ** 3;
const CONTENT = Buffer.from('what a job left');
const OTHER = Buffer.from('what another job left');
const NAMES = ['../out.txt', '/etc/out.txt', 'a/../../b', 'a//b', '.git/config', 'a/.GIT/b', 'c:\\a', '', '.'];

/** Everything about artifacts, under a lease that is acknowledged. */
export async function judgeArtifacts(bench: Bench, held: Held): Promise<void> {
  const put = async (over: Readonly<Record<string, string>>, bytes = CONTENT) => {
    const query = { name: 'out/a b.txt', type: 'file', digest: digestOf(CONTENT), retention_days: '7', ...over };
    const path = `/leases/${held.offer.leaseId}/artifacts?${new URLSearchParams(query).toString()}`;
    return bench.send({ method: 'PUT', path, token: held.runner.token, type: BYTES, body: bytes });
  };
  for (const what of ['an artifact', 'the same again']) {
    const reply = await put({});
    const answer = ArtifactUploadAnswer.safeParse(reply.json).data;
    const named = answer?.digest === digestOf(CONTENT) && answer.sizeBytes === CONTENT.byteLength;
    bench.judgeYes('takes-artifacts', what, reply, 200, named);
  }
  bench.judgeNo('refuses-other-bytes', 'other bytes', await put({ name: 'b' }, OTHER), 422, 'digest_mismatch');
  for (const name of NAMES)
    bench.judgeNo('refuses-names', `the name '${name}'`, await put({ name }), 400, 'invalid_request');
  for (const [what, over] of [
    ['an unknown type', { type: 'folder' }],
    ['no days', { retention_days: '0' }],
    ['a digest that is none', { digest: 'md5:1' }],
  ] as const)
    bench.judgeNo('refuses-names', what, await put({ name: 'c', ...over }), 400, 'invalid_request');
  const changed = await put({ digest: digestOf(OTHER) }, OTHER);
  bench.judgeNo('artifacts-stay', 'other content for the same name', changed, 409, 'conflicting_repeat');
  await judgeGrants(bench, held);
}

async function judgeGrants(bench: Bench, held: Held): Promise<void> {
  const bytes = Buffer.alloc(2 * 1024 ** 2, 'z');
  const artifact = {
    name: 'large.bin',
    type: 'file',
    digest: digestOf(bytes),
    sizeBytes: bytes.byteLength,
    retentionDays: 1,
  };
  const large = await bench.say(held, 'uploads', { ...artifact, sizeBytes: GIB + 1 });
  bench.judgeNo('grants-uploads', 'a grant for more than a GiB', large, 413, 'payload_too_large');
  const asked = await bench.say(held, 'uploads', artifact);
  const answer = GrantUploadAnswer.safeParse(asked.json).data;
  if (!bench.judgeYes('grants-uploads', 'a grant, or null', asked, 200, answer !== undefined)) return;
  const grant = answer?.grant ?? null;
  const record = { ...artifact, uploadId: grant?.uploadId ?? null };
  const early = await bench.say(held, 'artifacts', record);
  bench.judgeNo('grants-uploads', 'what was not sent is recorded', early, 404, 'not_found');
  if (grant === null) return;
  const statuses = await sendBy(grant, bytes);
  const sent = statuses.every((status) => status >= 200 && status < 300);
  bench.judge('grants-uploads', sent, 'the store takes the granted requests', statuses.join(', '), [asked]);
  bench.judgeYes('grants-uploads', 'what was sent is recorded', await bench.say(held, 'artifacts', record), 200);
}

async function sendBy({ requests }: UploadGrant, bytes: Uint8Array<ArrayBuffer>): Promise<readonly number[]> {
  const statuses: number[] = [];
  for (const { method, url, headers, fromByte, toByte } of requests) {
    const response = await fetch(url, { method, headers, body: bytes.subarray(fromByte, toByte), redirect: 'error' });
    await response.arrayBuffer();
    statuses.push(response.status);
  }
  return statuses;
}
