import { Body, Controller, Inject, Param, Query } from '@nestjs/common';
import {
  ENDPOINTS,
  explainSubject,
  whyJob,
  type CancelRunRequest,
  type Change,
  type CreateRunRequest,
  type Plan,
  type PlanAnswer,
  type Repository,
  type RepositoryList,
  type RerunRequest,
  type RunAnswer,
  type RunId,
  type RunListQuery,
  type RunPage,
  type RunView,
  type WhyAnswer,
} from '@delta-ci/contracts';
import { findPlan, listRuns, showRun } from '@delta-ci/event-log';
import { findServedRepository, type ForgeSettings, type ServedRepository } from '@delta-ci/forge';
import { CallingPerson } from '../access/caller-parameter.ts';
import { actorOf, type AccessCaller } from '../access/caller.ts';
import { envelopeFor, idFromKey, runIdFrom } from '../command-ids.ts';
import { IdempotencyKey } from '../http/idempotency-key.ts';
import { acceptedOr, foundOr, refusedWith } from '../http/refused.ts';
import { Route } from '../http/route.ts';
import { PARTS, type GatewayParts } from '../parts.ts';

interface OfRun {
  readonly runId: RunId;
}

const E = ENDPOINTS;

/** Runs: asked for, listed, shown, canceled, explained. */
@Controller()
export class RunController {
  readonly #parts: GatewayParts;

  constructor(@Inject(PARTS) parts: GatewayParts) {
    this.#parts = parts;
  }

  @Route('listRepositories')
  repositories(): RepositoryList {
    const { forges } = this.#parts;
    return {
      repositories: forges.flatMap((forge) => forge.repositories.map((served) => repositoryOf(forge, served))),
    };
  }

  @Route('createRun')
  async create(
    @CallingPerson() caller: AccessCaller,
    @IdempotencyKey() key: string | undefined,
    @Body({ schema: E.createRun.body.content }) body: CreateRunRequest,
  ): Promise<RunAnswer> {
    const repository = this.#servedRepository(body.repository);
    const actor = actorOf(caller);
    const id = idFromKey('request-run', actor, key);
    const data = { runId: runIdFrom(id), repository, change: manualChange(body, caller.name) };
    return acceptedOr(await this.#parts.commands.send('request-run', data, envelopeFor(id, actor)));
  }

  @Route('listRuns')
  async list(@Query({ schema: E.listRuns.query }) query: RunListQuery): Promise<RunPage> {
    const page = await listRuns(this.#parts.log, query);
    if (page === null) throw refusedWith('invalid_request', 'cursor of the query: not one of this list');
    return page;
  }

  @Route('showRun')
  async show(@Param({ schema: E.showRun.params }) { runId }: OfRun): Promise<RunView> {
    return foundOr(await showRun(this.#parts.log, runId), `run ${runId}`);
  }

  @Route('cancelRun')
  async cancel(
    @CallingPerson() caller: AccessCaller,
    @Param({ schema: E.cancelRun.params }) { runId }: OfRun,
    @IdempotencyKey() key: string | undefined,
    @Body({ schema: E.cancelRun.body.content }) { reason }: CancelRunRequest,
  ): Promise<RunAnswer> {
    const actor = actorOf(caller);
    const envelope = envelopeFor(idFromKey('cancel-run', actor, key), actor);
    return acceptedOr(await this.#parts.commands.send('cancel-run', { runId, reason }, envelope));
  }

  @Route('rerun')
  async rerun(
    @CallingPerson() caller: AccessCaller,
    @Param({ schema: E.rerun.params }) { runId }: OfRun,
    @IdempotencyKey() key: string | undefined,
    @Body({ schema: E.rerun.body.content }) { only }: RerunRequest,
  ): Promise<RunAnswer> {
    const actor = actorOf(caller);
    const id = idFromKey('rerun', actor, key);
    const data = { runId, newRunId: runIdFrom(id), only };
    return acceptedOr(await this.#parts.commands.send('rerun', data, envelopeFor(id, actor)));
  }

  @Route('showPlan')
  async plan(@Param({ schema: E.showPlan.params }) { runId }: OfRun): Promise<PlanAnswer> {
    return this.#planOf(runId);
  }

  @Route('why')
  async why(@Param({ schema: E.why.params }) { runId, job }: OfRun & { job: string }): Promise<WhyAnswer> {
    const { plan } = await this.#planOf(runId);
    return foundOr(whyJob(plan, job), `job ${job} in the plan of ${runId}`);
  }

  @Route('whyNot')
  async whyNot(@Param({ schema: E.whyNot.params }) params: OfRun & { subject: string }): Promise<WhyAnswer> {
    const { plan } = await this.#planOf(params.runId);
    const what = `job, unit or changed file ${params.subject} in the plan of ${params.runId}`;
    return foundOr(explainSubject(plan, params.subject), what);
  }

  async #planOf(runId: RunId): Promise<{ digest: string; plan: Plan }> {
    const run = foundOr(await showRun(this.#parts.log, runId), `run ${runId}`);
    const digest = foundOr(run.planDigest, `plan of ${runId} yet`);
    return { digest, plan: foundOr(await findPlan(this.#parts.log, digest), `plan ${digest}`) };
  }

  #servedRepository(id: string): Repository {
    const served = findServedRepository(this.#parts.forges, id);
    if (served === null) {
      throw refusedWith('unknown_repository', `${id} is not served here: add it to the forge settings`);
    }
    return repositoryOf(served.forge, served.repository);
  }
}

function repositoryOf({ name, kind }: ForgeSettings, { id, cloneUrl, defaultBranch }: ServedRepository): Repository {
  return { id, forge: kind, fullName: id.slice(name.length + 1), cloneUrl, defaultBranch };
}

/** What a person asks for is as trusted as the person: only operators may ask. */
function manualChange({ ref, head, base, title }: CreateRunRequest, author: string): Change {
  return {
    kind: 'manual',
    ref,
    base,
    head,
    targetRef: null,
    pullRequest: null,
    title,
    author,
    trust: 'trusted',
  };
}
