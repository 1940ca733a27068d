import { madeLease, say } from '../made-lease.ts';
import type { Scene, Stage } from '../stage.ts';
import { printedBetween } from './printed.ts';

const SECRET = 'fake+secret/of the kit?42';
const LINES = 'fake-first-line-of-many\nfake-second-line-of-many';

const printed: Scene = {
  name: 'a job that prints its secrets',
  judges: ['step-environment', 'masks', 'masks-encoded', 'source-token', 'keeps-secrets'],
  lease: (source) =>
    madeLease(
      source,
      [
        `test "\${#KIT_SECRET}" -eq ${SECRET.length}; ${say('secret-found')}`,
        `printf '%s\\n' "$KIT_SECRET"; printf '%s' 'fake+sec'; sleep 1; printf '%s\\n' 'ret/of the kit?42'`,
        `printf '%s\\n' "$KIT_LINES" | while read -r line; do echo "a line: $line"; done`,
        `printf '%s' "$KIT_SECRET" | base64; printf '%s' "$KIT_SECRET" | od -An -v -tx1 | tr -d ' \\n'; echo; echo 'fake%2Bsecret%2Fof%20the%20kit%3F42'`,
        // Spread out, so that masking does not hide what should not be there at all.
        `${say('access-begin')}; { env; cat .git/config 2>/dev/null || true; } | sed 's/./&_/g'; ${say('access-end')}`,
      ],
      {
        job: { secrets: ['KIT_SECRET', 'KIT_LINES'] },
        offer: { secrets: { KIT_SECRET: SECRET, KIT_LINES: LINES }, source: source.access('private') },
      },
    ),
  play: async (stage) => {
    const report = await stage.report();
    if (report === null) return;
    const log = stage.gateway.book.log().toString('latin1');
    const found = log.includes('secret-found\n');
    stage.judge(
      'step-environment',
      found,
      'the secret KIT_SECRET in the environment of a step',
      'it is not there, or another value',
      stage.reports(),
    );
    const seen = (words: readonly string[]) => words.filter((word) => log.includes(word));
    const [first = '', second = ''] = LINES.split('\n');
    judgeHidden(stage, 'masks', seen([SECRET, first, second]));
    judgeHidden(
      stage,
      'masks-encoded',
      seen([
        Buffer.from(SECRET).toString('base64'),
        Buffer.from(SECRET).toString('hex'),
        'fake%2Bsecret%2Fof%20the%20kit%3F42',
      ]),
    );
    const access = printedBetween(log, 'access-begin', 'access-end') ?? '';
    const shown = access.includes(stage.source.token.split('').join('_'));
    stage.judge(
      'source-token',
      !shown && report.outcome === 'succeeded',
      'the private source is fetched, and its token is nowhere in a step',
      shown ? 'it is there' : report.outcome,
      stage.reports(),
    );
  },
};

function judgeHidden(stage: Stage, id: 'masks' | 'masks-encoded', seen: readonly string[]): void {
  stage.judge(
    id,
    seen.length === 0,
    'nothing of a secret in the log',
    () => `the log has ${seen.join(', ')}`,
    stage.gateway.calls('appendLog'),
  );
}

/** What must not be in anything that is sent in this scene. */
export const SCENE_SECRETS: readonly string[] = [SECRET, ...LINES.split('\n')];

export const secrets: readonly Scene[] = [printed];
