import type { GatewayRequirement } from './gateway/requirements.ts';

export interface AskedOfProxy {
  readonly method: string;
  readonly path: string;
  readonly body: Buffer;
}

export interface Told {
  readonly status: number;
  readonly text: string;
}

/** What a gateway with one mistake answers. @param sound what a sound one answers */
export type Tamper = (asked: AskedOfProxy, sound: () => Promise<Told>) => Told | Promise<Told>;

/** A mistake of a gateway, and the requirement that has to notice. */
export interface BrokenGateway {
  readonly mistake: string;
  readonly caught: GatewayRequirement;
  readonly tamper: Tamper;
}

const yes = (body: object): Told => ({ status: 200, text: JSON.stringify(body) });
const no = (status: number, code: string): Told => ({
  status,
  text: JSON.stringify({ error: { code, message: 'no', details: {} } }),
});
const codeOf = ({ text }: Told): string =>
  (JSON.parse(text === '' ? '{}' : text) as { error?: { code: string } }).error?.code ?? '';

/** Refusals of one code are answered as if all were well, where the path fits. */
const instead =
  (code: string, path: RegExp, answer: Told): Tamper =>
  async (asked, sound) => {
    const told = await sound();
    return codeOf(told) === code && path.test(asked.path) ? answer : told;
  };

/** Chunks that came before. */
const came = new Set<string>();

const BEATEN = yes({ extend: true, ttlMs: 8_000, cancelRequested: false, cancelDeadlineAtMs: null });
const TAKEN = yes({ outcome: 'succeeded' });

/** Answers of a call are others, from the `from`th good one on. */
function answering(path: RegExp, answer: Told, from = 1): Tamper {
  let calls = 0;
  return async (asked, sound) => {
    const told = await sound();
    if (!path.test(asked.path) || told.status >= 300) return told;
    calls += 1;
    return calls < from ? told : answer;
  };
}

/** A runner that has acknowledged its lease is answered every request for another with something. */
function generous(): Tamper {
  let held = false;
  return async ({ path }, sound) => {
    const told = await sound();
    held ||= path.endsWith('/ack') && told.status === 200;
    return held && path.endsWith('/leases') ? yes({}) : told;
  };
}

export const BROKEN_GATEWAYS: readonly BrokenGateway[] = [
  {
    mistake: 'registrations without a token',
    caught: 'registers-runners',
    tamper: answering(/runners$/, { status: 201, text: '{}' }),
  },
  {
    mistake: 'no patience with runners that wait',
    caught: 'answers-in-time',
    tamper: answering(/leases$/, no(503, 'unavailable')),
  },
  { mistake: 'as many leases as anybody wants', caught: 'one-lease-each', tamper: generous() },
  {
    mistake: 'one acknowledgement and no more',
    caught: 'acknowledged-twice',
    tamper: answering(/ack$/, no(409, 'invalid_transition'), 2),
  },
  {
    mistake: 'heartbeats that keep nothing',
    caught: 'keeps-the-lease',
    tamper: answering(/heartbeat$/, yes({ extend: false, ttlMs: 1, cancelRequested: false, cancelDeadlineAtMs: null })),
  },
  {
    mistake: 'a log that stays at its beginning',
    caught: 'appends-in-order',
    tamper: answering(/log/, yes({ nextOffset: 0 })),
  },
  {
    mistake: 'artifacts under another digest',
    caught: 'takes-artifacts',
    tamper: answering(/artifacts\?/, yes({ digest: `sha256:${'0'.repeat(64)}`, sizeBytes: 1 })),
  },
  {
    mistake: 'a no of its own form',
    caught: 'says-no-in-form',
    tamper: async (_, sound) => {
      const told = await sound();
      return told.status < 400 ? told : { ...told, text: '{"message":"no"}' };
    },
  },
  {
    mistake: 'a no with the status of another',
    caught: 'says-no-in-form',
    tamper: async (_, sound) => {
      const told = await sound();
      return told.status === 401 ? { ...told, status: 403 } : told;
    },
  },
  {
    mistake: 'registrations for anybody',
    caught: 'refuses-strangers',
    tamper: instead('unauthenticated', /runners$/, {
      status: 201,
      text: JSON.stringify({ runnerId: `rnr_${'0'.repeat(32)}`, token: 'fake', tokenExpiresAtMs: 1 }),
    }),
  },
  {
    mistake: 'tokens that nobody looks at',
    caught: 'refuses-tokens',
    tamper: instead('unauthenticated', /leases$/, { status: 204, text: '' }),
  },
  {
    mistake: 'unknown fields passed over',
    caught: 'refuses-shape',
    tamper: instead('invalid_request', /heartbeat$/, BEATEN),
  },
  {
    mistake: 'any content type',
    caught: 'refuses-type',
    tamper: instead('unsupported_media_type', /./, no(400, 'invalid_request')),
  },
  {
    mistake: 'heartbeats of any size',
    caught: 'refuses-size',
    tamper: instead('payload_too_large', /heartbeat$/, BEATEN),
  },
  { mistake: 'any version of the protocol', caught: 'refuses-paths', tamper: instead('not_found', /v999/, yes({})) },
  {
    mistake: 'leases that were never given',
    caught: 'refuses-lease-ids',
    tamper: instead('stale_lease', /heartbeat$/, BEATEN),
  },
  {
    mistake: 'a wait without end',
    caught: 'bounds-the-wait',
    tamper: instead('invalid_request', /leases$/, { status: 204, text: '' }),
  },
  {
    mistake: 'a renewal for another runner',
    caught: 'renews-tokens',
    tamper: async ({ path }, sound) => {
      const told = await sound();
      return path.endsWith('/token') ? { ...told, text: told.text.replace(/rnr_./, 'rnr_x') } : told;
    },
  },
  {
    mistake: 'a life of two heartbeats',
    caught: 'offers',
    tamper: async ({ path }, sound) => {
      const told = await sound();
      return path.endsWith('/leases') ? { ...told, text: told.text.replace(/"ttlMs":\d+/, '"ttlMs":1000') } : told;
    },
  },
  {
    mistake: 'reports before the acknowledgement',
    caught: 'nothing-before',
    tamper: instead('invalid_transition', /complete$/, TAKEN),
  },
  {
    mistake: 'a lease for whoever knows it',
    caught: 'lease-of-another',
    tamper: instead('stale_lease', /heartbeat$/, BEATEN),
  },
  {
    mistake: 'a chunk that comes again in the log twice',
    caught: 'appends-once',
    tamper: async ({ path, body }, sound) => {
      const told = await sound();
      if (!path.includes('offset=6') || body.toString() !== 'world') return told;
      if (came.has(path)) return yes({ nextOffset: 16 });
      came.add(path);
      return told;
    },
  },
  {
    mistake: 'a gap in the log',
    caught: 'refuses-gaps',
    tamper: instead('offset_mismatch', /log/, yes({ nextOffset: 31 })),
  },
  {
    mistake: 'chunks of any size',
    caught: 'refuses-chunks',
    tamper: instead('payload_too_large', /log/, yes({ nextOffset: 9 })),
  },
  {
    mistake: 'bytes that nobody compares',
    caught: 'refuses-other-bytes',
    tamper: instead('digest_mismatch', /artifacts/, yes({ digest: `sha256:${'0'.repeat(64)}`, sizeBytes: 1 })),
  },
  {
    mistake: 'names that lead out',
    caught: 'refuses-names',
    tamper: instead('invalid_request', /name=\.\./, yes({ digest: `sha256:${'0'.repeat(64)}`, sizeBytes: 1 })),
  },
  {
    mistake: 'artifacts that are written over',
    caught: 'artifacts-stay',
    tamper: instead('conflicting_repeat', /artifacts/, yes({ digest: `sha256:${'0'.repeat(64)}`, sizeBytes: 1 })),
  },
  {
    mistake: 'uploads recorded that were not sent',
    caught: 'grants-uploads',
    tamper: instead('not_found', /artifacts$/, yes({ digest: `sha256:${'0'.repeat(64)}`, sizeBytes: 1 })),
  },
  {
    mistake: 'cancels that nobody asked for',
    caught: 'cancel-not-asked',
    tamper: instead('cancel_not_requested', /./, TAKEN),
  },
  { mistake: 'a second report', caught: 'one-report', tamper: instead('conflicting_repeat', /complete$/, TAKEN) },
  {
    mistake: 'another answer to the same report',
    caught: 'takes-the-report',
    tamper: async ({ path }, sound) => {
      const told = await sound();
      return path.endsWith('/complete') && told.status === 200 ? yes({ outcome: `taken-${performance.now()}` }) : told;
    },
  },
  {
    mistake: 'reports of any shape',
    caught: 'refuses-reports',
    tamper: instead('invalid_request', /complete$/, TAKEN),
  },
  {
    mistake: 'heartbeats after the end',
    caught: 'nothing-after',
    tamper: instead('stale_lease', /heartbeat$/, BEATEN),
  },
  {
    mistake: 'leases that come back to life',
    caught: 'expires-unacknowledged',
    tamper: instead('stale_lease', /ack$/, yes({ state: 'active' })),
  },
  { mistake: 'late reports that count', caught: 'expires-silent', tamper: instead('stale_lease', /complete$/, TAKEN) },
  {
    mistake: 'cancels that nobody hears of',
    caught: 'asks-to-cancel',
    tamper: async ({ path }, sound) => {
      const told = await sound();
      return path.endsWith('/heartbeat') && told.status === 200 ? BEATEN : told;
    },
  },
];
