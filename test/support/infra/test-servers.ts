/** One way to have servers for tests: embedded programs, or containers. */
export interface TestServers {
  readonly kind: 'embedded' | 'containers';
  startPostgres(): Promise<PostgresForTests>;
  /** An own server per call. */
  createNats(config: string): Promise<NatsForTests>;
}

export interface PostgresForTests {
  /** Of the maintenance database, as superuser. */
  readonly superuserUrl: string;
  stop(): Promise<void>;
}

export interface NatsForTests {
  readonly url: string;
  readonly storeDir: string;
  isRunning(): boolean;
  /** Process id of an embedded server that runs, else null. */
  pid(): number | null;
  start(): Promise<void>;
  stop(): Promise<void>;
  kill(): Promise<void>;
  /** Ends it, if it runs, and deletes everything it wrote. */
  remove(): Promise<void>;
}
