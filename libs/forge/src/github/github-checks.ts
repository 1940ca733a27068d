import { request } from '@octokit/request';
import { z } from 'zod';
import type { ForgeAnswer } from '../publications/forge-failure.ts';
import {
  ACTIONS_MAX,
  ANNOTATIONS_PER_REQUEST_MAX,
  type Annotation,
  type CheckContent,
} from '../publications/publication.ts';
import { failureOfError } from './failure-of-error.ts';

export type CheckOperation = 'create' | 'update' | 'list';

export interface GitHubChecksOptions {
  /** `https://api.github.com`, or `https://<host>/api/v3` of an enterprise server. */
  apiUrl: string;
  token: string;
  /** Of one call. GitHub ends requests of its own accord after 10 s. */
  timeoutMs: number;
  nowMs: () => number;
  /** Asked right before each call leaves: false makes it `unavailable` without being sent. */
  mayCall?: () => boolean;
  /** Told after every call, for metrics. */
  onCall?: (call: { operation: CheckOperation; result: string; durationMs: number }) => void;
}

/** A check run as the forge has it. */
export interface KnownCheck {
  /** The forge's id, as text. */
  id: string;
  externalId: string;
  status: string;
  conclusion: string | null;
  title: string;
  summary: string;
}

/** What we read of a check run; GitHub tells much more. */
const CheckRun = z.object({
  id: z.number().int(),
  external_id: z.string().nullish(),
  status: z.string().nullish(),
  conclusion: z.string().nullish(),
  output: z
    .object({
      annotations_count: z.number().int().optional(),
      title: z.string().nullish(),
      summary: z.string().nullish(),
    })
    .nullish(),
});
type CheckRun = z.infer<typeof CheckRun>;
const CheckRunPage = z.object({ check_runs: z.array(CheckRun) });

/** The API version whose description our requests are checked against. */
const API_VERSION = '2022-11-28';
const PER_PAGE = 100;
/** GitHub keeps at most 1,000 check runs per commit and suite in its answers. */
const PAGES_MAX = 10;

/** Publishes check runs. Never throws for what a forge may do: failures are answers. Calls may overlap. */
export class GitHubChecks {
  readonly #options: GitHubChecksOptions;
  readonly #request: typeof request;

  constructor(options: GitHubChecksOptions) {
    this.#options = options;
    this.#request = request.defaults({
      baseUrl: options.apiUrl.replace(/\/+$/, ''),
      headers: {
        authorization: `Bearer ${options.token}`,
        'user-agent': 'delta-ci',
        'x-github-api-version': API_VERSION,
      },
    });
  }

  /** All check runs of a commit: what was published before, whoever remembers it. */
  async list(fullName: string, headSha: string): Promise<ForgeAnswer<KnownCheck[]>> {
    const known: KnownCheck[] = [];
    for (let page = 1; page <= PAGES_MAX; page += 1) {
      const answer = await this.#call('list', CheckRunPage, async (signal) =>
        this.#request('GET /repos/{owner}/{repo}/commits/{ref}/check-runs', {
          ...ownerAndName(fullName),
          ref: headSha,
          filter: 'all',
          per_page: PER_PAGE,
          page,
          request: { signal },
        }),
      );
      if (!answer.ok) return answer;
      const { check_runs: runs } = answer.value;
      known.push(...runs.map(knownCheck));
      if (runs.length < PER_PAGE) break;
    }
    return { ok: true, value: known };
  }

  /** Makes a check run; answers its id. */
  async create(fullName: string, content: CheckContent): Promise<ForgeAnswer<string>> {
    const first = content.annotations.slice(0, ANNOTATIONS_PER_REQUEST_MAX);
    const answer = await this.#call('create', CheckRun, async (signal) =>
      this.#request('POST /repos/{owner}/{repo}/check-runs', {
        ...ownerAndName(fullName),
        head_sha: content.headSha,
        ...fieldsOf(content, first),
        request: { signal },
      }),
    );
    if (!answer.ok) return answer;
    return this.#annotate(fullName, answer.value, content, first.length);
  }

  /**
   * Makes a check run show this content. The forge adds annotations to those it has, so only the ones beyond its count are
   * sent: repeating an update is harmless.
   */
  async update(fullName: string, id: string, content: CheckContent): Promise<ForgeAnswer<string>> {
    const answer = await this.#patch(fullName, Number(id), content, []);
    return answer.ok ? this.#annotate(fullName, answer.value, content, 0) : answer;
  }

  async #annotate(fullName: string, run: CheckRun, content: CheckContent, sent: number): Promise<ForgeAnswer<string>> {
    const { annotations } = content;
    let from = Math.max(sent, run.output?.annotations_count ?? 0);
    while (from < annotations.length) {
      const batch = annotations.slice(from, from + ANNOTATIONS_PER_REQUEST_MAX);
      const answer = await this.#patch(fullName, run.id, content, batch);
      if (!answer.ok) return answer;
      from += batch.length;
    }
    return { ok: true, value: String(run.id) };
  }

  async #patch(
    fullName: string,
    id: number,
    content: CheckContent,
    annotations: readonly Annotation[],
  ): Promise<ForgeAnswer<CheckRun>> {
    return this.#call('update', CheckRun, async (signal) =>
      this.#request('PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}', {
        ...ownerAndName(fullName),
        check_run_id: id,
        ...fieldsOf(content, annotations),
        request: { signal },
      }),
    );
  }

  async #call<T>(
    operation: CheckOperation,
    schema: z.ZodType<T>,
    send: (signal: AbortSignal) => Promise<{ data: unknown }>,
  ): Promise<ForgeAnswer<T>> {
    const { nowMs, timeoutMs, onCall, mayCall = () => true } = this.#options;
    if (!mayCall()) return { ok: false, failure: { kind: 'unavailable', message: 'calls are not ours to make now' } };
    const startedAtMs = nowMs();
    const answer = await askOnce(schema, () => send(AbortSignal.timeout(timeoutMs)), nowMs);
    onCall?.({ operation, result: answer.ok ? 'ok' : answer.failure.kind, durationMs: nowMs() - startedAtMs });
    return answer;
  }
}

/** Whether the forge shows this content already, as far as its list tells: annotations and links are not compared. */
export function showsContent(check: KnownCheck, { status, conclusion, title, summary }: CheckContent): boolean {
  const wanted = conclusion === null ? status : 'completed';
  return (
    check.status === wanted && check.conclusion === conclusion && check.title === title && check.summary === summary
  );
}

function knownCheck({ id, external_id: externalId, status, conclusion, output }: CheckRun): KnownCheck {
  return {
    id: String(id),
    externalId: externalId ?? '',
    status: status ?? '',
    conclusion: conclusion ?? null,
    title: output?.title ?? '',
    summary: output?.summary ?? '',
  };
}

async function askOnce<T>(
  schema: z.ZodType<T>,
  send: () => Promise<{ data: unknown }>,
  nowMs: () => number,
): Promise<ForgeAnswer<T>> {
  try {
    const parsed = schema.safeParse((await send()).data);
    if (parsed.success) return { ok: true, value: parsed.data };
    return { ok: false, failure: { kind: 'unavailable', message: 'the answer is not that of a GitHub API' } };
  } catch (error) {
    return { ok: false, failure: failureOfError(error, nowMs()) };
  }
}

function ownerAndName(fullName: string): { owner: string; repo: string } {
  const slash = fullName.lastIndexOf('/');
  return { owner: fullName.slice(0, slash), repo: fullName.slice(slash + 1) };
}

/** Our words in GitHub's; what is null is left out, as GitHub has no null for it. */
function fieldsOf(content: CheckContent, annotations: readonly Annotation[]) {
  const { conclusion, startedAtMs, completedAtMs, title, summary, text } = content;
  return {
    name: content.name,
    external_id: content.externalId,
    details_url: content.detailsUrl,
    ...(conclusion === null ? { status: content.status } : { status: 'completed' as const, conclusion }),
    ...(startedAtMs === null ? {} : { started_at: new Date(startedAtMs).toISOString() }),
    ...(completedAtMs === null ? {} : { completed_at: new Date(completedAtMs).toISOString() }),
    output: {
      title,
      summary,
      ...(text === '' ? {} : { text }),
      ...(annotations.length === 0 ? {} : { annotations: annotations.map(annotationOf) }),
    },
    actions: content.actions.slice(0, ACTIONS_MAX),
  };
}

function annotationOf({ path, line, level, title, message }: Annotation) {
  return { path, start_line: line, end_line: line, annotation_level: level, title, message };
}
