import { git, type Commit } from '../git-server/bare-repository.ts';
import { deliver, pushDelivery, type DeliveryAnswer } from './webhook-deliveries.ts';

/** Where a forge tells of pushes, as its settings of a repository would say. */
export interface Webhook {
  readonly url: string;
  readonly secret: string;
  /** Whom it vouches for: whoever may push. */
  readonly sender: string;
}

/** A ref that somebody pushed, and what became of telling it; null: nobody answered. */
export interface ToldPush {
  readonly fullName: string;
  readonly commit: Commit;
  readonly answer: DeliveryAnswer | null;
}

type Refs = ReadonlyMap<string, string>;

const NO_COMMIT = '0'.repeat(40);

/** Refs that differ, each with where it was and where it is; none at all is forty zeros, as git and forges write it. */
export function changedRefs(before: Refs, after: Refs): Pick<Commit, 'ref' | 'before' | 'after'>[] {
  return [...new Set([...before.keys(), ...after.keys()])]
    .map((ref) => ({ ref, before: before.get(ref) ?? NO_COMMIT, after: after.get(ref) ?? NO_COMMIT }))
    .filter((change) => change.before !== change.after);
}

/** Tells a webhook of each ref that a push moved, one push of a repository after the other. */
export class PushWebhook {
  readonly #webhook: Webhook;
  readonly #heard: (push: ToldPush) => void;
  readonly #turns = new Map<string, Promise<void>>();

  /** @param heard is told of each delivery, when it was answered */
  constructor(webhook: Webhook, heard: (push: ToldPush) => void) {
    this.#webhook = webhook;
    this.#heard = heard;
  }

  /** @param receive takes the push; what it moved is told when it is over, whether it went well or not */
  async around(
    repository: { fullName: string; directory: string; cloneUrl: string },
    receive: () => Promise<void>,
  ): Promise<void> {
    const { fullName } = repository;
    const before = this.#turns.get(fullName);
    const turn = this.#inTurn(before, repository, receive);
    this.#turns.set(
      fullName,
      turn.catch(() => undefined),
    );
    return turn;
  }

  async #inTurn(
    before: Promise<void> | undefined,
    repository: { fullName: string; directory: string; cloneUrl: string },
    receive: () => Promise<void>,
  ): Promise<void> {
    await before;
    const { fullName, directory } = repository;
    const refs = await refsOf(directory);
    await receive();
    for (const change of changedRefs(refs, await refsOf(directory)))
      this.#heard({ fullName, ...(await this.#tell(repository, change)) });
  }

  async #tell(
    { fullName, directory, cloneUrl }: { fullName: string; directory: string; cloneUrl: string },
    change: Pick<Commit, 'ref' | 'before' | 'after'>,
  ): Promise<Omit<ToldPush, 'fullName'>> {
    const message = change.after === NO_COMMIT ? '' : await git(directory, 'log', '-1', '--format=%B', change.after);
    const commit = { ...change, message };
    const { url, secret, sender } = this.#webhook;
    const delivery = pushDelivery(fullName, cloneUrl, commit, sender);
    return { commit, answer: await deliver(url, secret, delivery).catch(() => null) };
  }
}

async function refsOf(directory: string): Promise<Refs> {
  const text = await git(directory, 'for-each-ref', '--format=%(refname) %(objectname)');
  return new Map(text === '' ? [] : text.split('\n').map((line) => line.split(' ') as [string, string]));
}
