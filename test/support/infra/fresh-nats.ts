import { askOwner } from './ask-owner.ts';
import type { NatsAction } from './messages.ts';

export interface FreshNats {
  /** Stays the same when the server is started again. */
  readonly url: string;
  /** Process id of the running embedded server; null in a container. */
  readonly pid: number | null;
  /** Ends the server cleanly; its store stays. */
  stop(): Promise<void>;
  /** Starts it again after `stop` or `kill`, on the same address with what is left of the store. */
  start(): Promise<void>;
  /** Ends it with SIGKILL. */
  kill(): Promise<void>;
  /** Cuts bytes off the end of every stream's newest block; only while it is stopped. */
  cutStore(bytes: number): Promise<void>;
  /** Deletes the whole store; only while it is stopped. */
  wipeStore(): Promise<void>;
  /** Ends the server and deletes everything it wrote. */
  remove(): Promise<void>;
}

/** A nats-server of its own with an empty JetStream store: 30-60 ms. `config` is added to its configuration. */
export async function freshNats({ config = '' }: { readonly config?: string } = {}): Promise<FreshNats> {
  const { id, url, pid } = await askOwner({ ask: 'create-nats', config });
  let running = pid;
  const act = async (action: NatsAction): Promise<void> => {
    running = (await askOwner({ ask: 'act-on-nats', id, action })).pid;
  };
  return {
    url,
    get pid() {
      return running;
    },
    stop: () => act('stop'),
    start: () => act('start'),
    kill: () => act('kill'),
    wipeStore: () => act('wipe-store'),
    remove: () => act('remove'),
    async cutStore(bytes) {
      await askOwner({ ask: 'cut-nats-store', id, bytes });
    },
  };
}
