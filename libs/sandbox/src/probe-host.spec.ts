import { describe, expect, it } from '@jest/globals';
import { DummyExecutor } from './dummy-executor.ts';
import { LAYERS } from './layers.ts';
import { enforced, partial } from './limit-reports.ts';
import { describeVerdicts, probeHost } from './probe-host.ts';
import { ProcessExecutor } from './process-executor.ts';

const ALL = LAYERS.map((layer) => enforced(layer, 'test'));

describe('probing a host', () => {
  it('given every layer, code of either trust is accepted', async () => {
    const [verdict] = await probeHost([new DummyExecutor(ALL)]);
    expect(verdict?.refuses).toEqual({ trusted: null, untrusted: null });
  });

  it.each(LAYERS.filter((layer) => layer !== 'cpu-limit'))(
    'without %s, untrusted code is refused by its name',
    async (layer) => {
      const [verdict] = await probeHost([new DummyExecutor(ALL.filter((each) => each.layer !== layer))]);
      expect(verdict?.refuses.untrusted).toMatchObject({ code: 'layer_missing', layer });
    },
  );

  it('given a memory limit that only partly holds, untrusted code is refused and trusted code is not', async () => {
    const layers = [
      ...ALL.filter(({ layer }) => layer !== 'memory-limit'),
      partial('memory-limit', 'rlimit', 'be root'),
    ];
    const [verdict] = await probeHost([new DummyExecutor(layers)]);
    expect(verdict?.refuses).toMatchObject({ trusted: null, untrusted: { layer: 'memory-limit', remedy: 'be root' } });
    expect(describeVerdicts(verdict === undefined ? [] : [verdict])).toEqual(
      expect.arrayContaining([
        'tier dummy: usable',
        '  memory-limit  partial   rlimit; to get it: be root',
        '  trusted code: accepted',
        '  untrusted code: refused, layer memory-limit must be enforced and is partial (rlimit)',
      ]),
    );
  });

  it('tier process takes trusted code only, whatever the host, and says once what its layers lack', async () => {
    const verdicts = await probeHost([new ProcessExecutor({ stateDir: '/unused', killGraceMs: 1 })]);
    expect(verdicts[0]?.refuses).toMatchObject({ trusted: null, untrusted: { code: 'tier_refuses_untrusted' } });
    expect(describeVerdicts(verdicts).slice(0, 3)).toEqual([
      'tier process: usable',
      '  filesystem, namespaces, network, identity, seccomp, proc-masks',
      '                missing   steps run as this very user; to get it: use the sandbox tier',
    ]);
  });
});
