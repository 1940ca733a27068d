import type { Plan, PlanNote, PlannedJob } from '@delta-ci/contracts';
import { grantOf, limitsWithin, policyWithin, type Grant } from '../config/granted.ts';
import { isAtLeast, isolationFor } from '../construction/job-terms.ts';
import { staysInReach, staysInWorkspace } from '../construction/workspace-paths.ts';
import type { PlanningInputs } from '../model.ts';
import { sortedText } from '../parsed-values.ts';
import { note } from './notes.ts';

export type CheckedInputs = Pick<PlanningInputs, 'comparison' | 'rules' | 'change'>;

/** Whether each job stays within what the installation allows, what runners have, and what the change is trusted with. */
export function boundNotes(plan: Plan, inputs: CheckedInputs): PlanNote[] {
  const grant = grantOf(inputs);
  const ofJobs = plan.jobs.flatMap((job) => [
    ...weakIsolation(job, inputs),
    ...outsideWorkspace(job),
    ...notOffered(job, inputs),
    ...doubtful(job, plan),
    ...(grant === null ? [] : beyondTrust(job, grant, inputs.rules.untrustedEgress)),
  ]);
  const { trust } = inputs.change;
  if (plan.trust === trust) return ofJobs;
  return [note('trust_differs', `the plan calls a change ${plan.trust} that is ${trust}`, plan.commit), ...ofJobs];
}

function weakIsolation({ key, requirements }: PlannedJob, { rules, change }: CheckedInputs): PlanNote[] {
  const minimum = isolationFor(change.trust, rules);
  if (isAtLeast(requirements.isolation, minimum)) return [];
  return [note('weak_isolation', `${key} asks for ${requirements.isolation}, below ${minimum}`, key)];
}

function outsideWorkspace({ key, artifacts, caches, steps }: PlannedJob): PlanNote[] {
  const paths = [
    ...steps.map(({ workdir }) => workdir).filter((path) => !staysInWorkspace(path)),
    ...artifacts.map(({ path }) => path).filter((path) => !staysInWorkspace(path)),
    ...caches.flatMap((cache) => cache.paths).filter((path) => !staysInReach(path)),
  ];
  const [first] = paths;
  return first === undefined
    ? []
    : [note('path_outside_workspace', `${key} reaches out of its workspace: ${first}`, key)];
}

/**
 * A job that no runner can take would wait until its time in the queue is over, and with it a check that is required. Where jobs run
 * on the machine that plans them, each is refused by itself, and that is told beforehand.
 */
function notOffered(job: PlannedJob, { rules }: CheckedInputs): PlanNote[] {
  const { key, requirements, services = [] } = job;
  const { labels, limitsMax = {} } = rules;
  const missing = labels === undefined ? [] : requirements.labels.filter((label) => !labels.includes(label));
  // Without what a job is to run beside, it would test something else than it says.
  const named = services.map(({ name }) => name).join(', ');
  const notes = [
    ...missing.map((label) => note('label_not_offered', `${key}: no runner offers ${label}`, key)),
    ...(services.length > 0 ? [note('services_not_offered', `${key}: no runner offers services (${named})`, key)] : []),
    ...imageNotes(job, rules),
    ...LIMITS.flatMap(({ name, text }) => {
      const most = limitsMax[name];
      if (most === undefined || job.limits[name] <= most) return [];
      const message = `${key}: no runner offers ${text(job.limits[name])}, at most ${text(most)}`;
      return [note('limits_not_offered', message, key)];
    }),
  ];
  return rules.runsHere === true ? notes.map((each) => ({ ...each, severity: 'warning' as const })) : notes;
}

function imageNotes({ key, image }: PlannedJob, { images }: CheckedInputs['rules']): PlanNote[] {
  if (image === null || images === undefined || images.includes(image)) return [];
  return [note('image_not_offered', `${key}: no runner offers the image ${image}`, key)];
}

const gibibytes = (bytes: number): string => `${Number((bytes / 1_024 ** 3).toFixed(2))} GiB`;

const LIMITS = [
  { name: 'cpuCount', text: (count: number) => `${count} processors` },
  { name: 'memoryBytes', text: (bytes: number) => `${gibibytes(bytes)} of memory` },
  { name: 'diskBytes', text: (bytes: number) => `${gibibytes(bytes)} of disk` },
] as const;

function doubtful(job: PlannedJob, { policy }: Plan): PlanNote[] {
  const notes: PlanNote[] = [];
  if (job.policy.timeoutMs > policy.runTimeoutMs) {
    const message = `${job.key} may take longer than its whole run: the run's limit ends it first`;
    notes.push(note('timeout_beyond_run', message, job.key));
  }
  if (job.steps.some(({ run }) => PUBLISHES.test(run))) {
    notes.push(note('may_publish', `${job.key} looks as if it publishes or deploys something`, job.key));
  }
  return notes;
}

/** Commands that change something outside of the sandbox, as they are usually written. */
const PUBLISHES = new RegExp(
  [
    String.raw`(?:npm|pnpm|yarn|bun|cargo|poetry|uv|hatch|flit|lerna|changeset) publish`,
    'twine upload',
    'gem push',
    String.raw`mix hex\.publish`,
    'dotnet nuget push',
    'mvn(?:w)? deploy',
    'gradlew? publish',
    '(?:docker|podman|helm|buildah) push',
    'gh release create',
    'git push',
    'kubectl apply',
    'helm (?:install|upgrade)',
    '(?:terraform|tofu) apply',
    'pulumi up',
    '(?:netlify|firebase|wrangler|flyctl|fly|cdk|serverless) deploy',
  ]
    .map((words) => String.raw`\b(?:${words.replaceAll(' ', String.raw`\s{1,20}`)})\b`)
    .join('|'),
  'u',
);

function beyondTrust(job: PlannedJob, grant: Grant, hosts: readonly string[]): PlanNote[] {
  const { key, secrets, idTokens = [], egress, limits, requirements } = job;
  // The time of an operator who looks into it is not the stranger's.
  const policy = { ...job.policy, timeoutMs: job.policy.timeoutMs - (job.debug?.heldMs ?? 0) };
  const notes: PlanNote[] = [];
  if (secrets.length > 0 || idTokens.length > 0)
    notes.push(note('secrets_for_untrusted', `${key} asks for secrets and its change is not trusted`, key));
  const host = egress.allow.find((each) => !hosts.includes(each));
  if (host !== undefined)
    notes.push(note('egress_for_untrusted', `${key} asks for ${host}, which strangers may not reach`, key));
  if (sortedText(limits) !== sortedText(limitsWithin(limits, grant)))
    notes.push(
      note('limits_for_untrusted', `${key} asks for more of a runner than its base has given to any job`, key),
    );
  const label = requirements.labels.find((each) => !grant.labels.has(each));
  if (label !== undefined)
    notes.push(
      note('label_for_untrusted', `${key} asks for a ${label} runner, which its base has given to no job`, key),
    );
  if (sortedText(policy) !== sortedText(policyWithin(policy, grant)))
    notes.push(
      note(
        'policy_for_untrusted',
        `${key} asks for more time, attempts or priority than its base has given to any job`,
        key,
      ),
    );
  return notes;
}
