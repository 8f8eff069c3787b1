import type { Pool } from 'pg';

export type JobState = 'queued' | 'submitted' | 'failed';

export interface Job {
  readonly name: string;
  readonly model: string;
  readonly state: JobState;
}

export type Jobs = ReturnType<typeof jobsIn>;

/** The submitted jobs, in Postgres. */
export function jobsIn(pool: Pool) {
  return {
    prepare: async (): Promise<void> => {
      await pool.query(
        'CREATE TABLE IF NOT EXISTS jobs (name text PRIMARY KEY, model text NOT NULL, state text NOT NULL)',
      );
    },
    /** Resolves to false if the name is already in use. */
    add: async ({ name, model }: Omit<Job, 'state'>): Promise<boolean> => {
      const { rowCount } = await pool.query(
        "INSERT INTO jobs (name, model, state) VALUES ($1, $2, 'queued') ON CONFLICT DO NOTHING",
        [name, model],
      );
      return rowCount === 1;
    },
    set: async (name: string, state: JobState): Promise<void> => {
      await pool.query('UPDATE jobs SET state = $2 WHERE name = $1', [name, state]);
    },
    find: async (name: string): Promise<Job | undefined> => {
      const { rows } = await pool.query<Job>('SELECT name, model, state FROM jobs WHERE name = $1', [name]);
      return rows[0];
    },
    ping: async (): Promise<void> => void (await pool.query('SELECT 1')),
  };
}
