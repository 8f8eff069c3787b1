const { env } = process;

export const databaseUrl = env.DATABASE_URL ?? 'postgres://postgres@localhost:5432/postgres';
export const redisUrl = env.REDIS_URL ?? 'redis://localhost:6379';
export const registryUrl = env.MODEL_REGISTRY_URL ?? 'http://localhost:8081';
