import { refusal } from '../played-gateway.ts';
import { madeLease } from '../made-lease.ts';
import type { Scene } from '../stage.ts';

const MIB = 1024 ** 2;
const LARGE_MIB = 5;

const granted: Scene = {
  name: 'a large artifact, with grants of which the first is over',
  judges: ['granted-upload', 'grant-over'],
  lease: (source) =>
    madeLease(source, [`head -c ${LARGE_MIB * MIB} /dev/zero | tr '\\000' 'y' > large.bin`], {
      job: { artifacts: [{ type: 'file', path: 'large.bin', retentionDays: 1 }] },
      grantsFrom: MIB,
    }),
  play: async (stage) => {
    const { gateway } = stage;
    let refused = false;
    gateway.instead = ({ name }) => {
      if (name !== 'store' || refused) return null;
      refused = true;
      return { status: 403 };
    };
    const report = await stage.report();
    if (report === null) return;
    const sent = gateway.calls('store');
    const grants = gateway.calls('grantUpload');
    const calls = gateway.calls('grantUpload', 'store', 'recordUpload', 'uploadArtifact');
    const there = gateway.book.artifacts.some(
      ({ name, bytes }) => name === 'large.bin' && bytes.byteLength === LARGE_MIB * MIB,
    );
    if (grants.length === 0) {
      stage.skip('granted-upload', 'it asked for no grant, and sent a large artifact through the gateway');
      stage.skip('grant-over', 'it asked for no grant');
      stage.judge('sends-artifacts', there, 'large.bin, through the gateway', 'it did not come', calls);
      return;
    }
    stage.judge('grant-over', there, 'large.bin comes in spite of a grant that was over', 'it did not come', calls);
    const strict = sent.every(({ headers, token }) => token === null && headers['x-conformance-part'] !== undefined);
    const expected = 'the granted headers with each request to the store, and no token of the runner';
    stage.judge('granted-upload', strict && there, expected, there ? 'headers that differ' : 'it did not come', calls);
  },
};

const refusedArtifact: Scene = {
  name: 'an artifact that is refused',
  judges: ['artifact-refused'],
  lease: (source) =>
    madeLease(source, ['echo one > one.txt; echo two > two.txt'], {
      job: { artifacts: [{ type: 'file', path: '*o*.txt', retentionDays: 1 }] },
    }),
  play: async (stage) => {
    const no = refusal(413, 'payload_too_large', 'over the size limit');
    stage.gateway.instead = ({ name, query }) => (name === 'uploadArtifact' && query['name'] === 'one.txt' ? no : null);
    const report = await stage.report();
    if (report === null) return;
    const names = report.artifacts.map(({ name }) => name).join(', ');
    const holds = report.outcome === 'succeeded' && names === 'two.txt';
    const seen = `${report.outcome}, with ${names || 'none'}`;
    stage.judge('artifact-refused', holds, 'succeeded, with two.txt and without one.txt', seen, stage.reports());
  },
};

export const artifacts: readonly Scene[] = [granted, refusedArtifact];
