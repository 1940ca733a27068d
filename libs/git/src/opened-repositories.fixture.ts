import { Git } from './git.ts';
import { openLocalRepository, type LocalRepository } from './local-repository.ts';
import { TEST_ENVIRONMENT, valueOf, type MadeRepository } from './made-repository.fixture.ts';
import type { SnapshotOptions, WorktreeSnapshot } from './worktree-snapshot.ts';

/** Git as these tests use it: no user's configuration. */
export const PLAIN_GIT = new Git({ environment: TEST_ENVIRONMENT });

/** Working repositories that a test has opened, with their snapshots; `closeAll` belongs into `afterEach`. */
export class OpenedRepositories {
  readonly #toClose: { close: () => Promise<void> }[] = [];

  async open(made: MadeRepository, using = PLAIN_GIT): Promise<LocalRepository> {
    const repository = valueOf(await openLocalRepository(using, made.root));
    this.#toClose.push(repository);
    return repository;
  }

  async snapshot(made: MadeRepository, options: SnapshotOptions = {}, using = PLAIN_GIT): Promise<WorktreeSnapshot> {
    const taken = valueOf(await (await this.open(made, using)).snapshot(options));
    this.#toClose.push(taken);
    return taken;
  }

  /** What differs between the checked-out commit and a snapshot, as `status path`. */
  async uncommitted(made: MadeRepository): Promise<string[]> {
    const taken = await this.snapshot(made);
    const changes = valueOf(await taken.reader.diff(made.git(['rev-parse', 'HEAD']), taken.treeId));
    return changes.map((change) => `${change.status} ${change.path}`);
  }

  async closeAll(): Promise<void> {
    await Promise.all(this.#toClose.splice(0).map((thing) => thing.close()));
  }
}
