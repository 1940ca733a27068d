import { askOwner } from './ask-owner.ts';

export interface FreshDatabase {
  /** As the owner of this database, an ordinary role. */
  readonly url: string;
  /**
   * This database as superuser: for migrations, which create roles, and for faults (ending other sessions,
   * changing settings).
   */
  readonly adminUrl: string;
  /** Ends every session and deletes the database and its owner. */
  drop(): Promise<void>;
}

/** An empty database of its own, on the one server of this test session: 20-60 ms. */
export async function freshDatabase(): Promise<FreshDatabase> {
  const { name, url, adminUrl } = await askOwner({ ask: 'create-database' });
  return {
    url,
    adminUrl,
    async drop() {
      await askOwner({ ask: 'drop-database', name });
    },
  };
}
