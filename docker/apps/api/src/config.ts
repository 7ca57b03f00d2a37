/** Token under which the configuration is injected. */
export const CONFIG = Symbol('configuration');

export interface Config {
  readonly port: number;
  readonly databaseUrl: string;
  readonly redisUrl: string;
  readonly health: { readonly timeoutMs: number; readonly cacheMs: number };
  /** What is in flight at SIGTERM may take this long to end. */
  readonly shutdownMs: number;
  readonly release: Release;
}

/** What serves: baked into the image, so that nobody has to guess it from a tag. */
export interface Release {
  readonly sha: string;
  readonly started_at: string;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** Every fault of the environment, told at once. Names variables, never their values. */
export class ConfigError extends Error {
  constructor(readonly faults: readonly string[]) {
    super(`the environment is not complete:\n${faults.map((fault) => `  ${fault}`).join('\n')}`);
  }
}

/**
 * Reads the configuration. A secret may be in a file that `<NAME>_FILE` names instead: whoever
 * sees a container's environment then does not see the secret.
 */
export function readConfig(
  env: Environment,
  readFile: (path: string) => string,
  now: Date = new Date(),
): Config {
  const reader = new Reader(env, readFile);
  const config: Config = {
    port: reader.number('PORT', 3001),
    databaseUrl: reader.url('DATABASE_URL', ['postgres:', 'postgresql:']),
    redisUrl: reader.url('REDIS_URL', ['redis:', 'rediss:']),
    health: {
      timeoutMs: reader.number('HEALTH_TIMEOUT_MS', 2000),
      cacheMs: reader.number('HEALTH_CACHE_MS', 1000),
    },
    shutdownMs: reader.number('SHUTDOWN_TIMEOUT_MS', 8000),
    release: { sha: env['RELEASE_SHA'] ?? 'unknown', started_at: now.toISOString() },
  };
  if (reader.faults.length > 0) throw new ConfigError(reader.faults);
  return config;
}

class Reader {
  readonly faults: string[] = [];

  constructor(
    private readonly env: Environment,
    private readonly readFile: (path: string) => string,
  ) {}

  number(name: string, otherwise: number): number {
    const text = this.env[name];
    if (text === undefined || text === '') return otherwise;
    if (!/^\d{1,6}$/.test(text)) this.faults.push(`${name} has to be a whole number`);
    return Number(text);
  }

  url(name: string, protocols: readonly string[]): string {
    const text = this.secret(name);
    if (text === undefined) return '';
    if (!URL.canParse(text) || !protocols.includes(new URL(text).protocol)) {
      this.faults.push(`${name} has to be a URL that begins with ${protocols[0] ?? ''}//`);
    }
    return text;
  }

  private secret(name: string): string | undefined {
    const path = this.env[`${name}_FILE`];
    const text = path ? this.contents(name, path) : this.env[name];
    if (text === '' || (text === undefined && !path)) {
      this.faults.push(`${name} is missing; give it, or a file with it as ${name}_FILE`);
      return undefined;
    }
    return text;
  }

  private contents(name: string, path: string): string | undefined {
    try {
      return this.readFile(path).trim();
    } catch {
      this.faults.push(`${name}_FILE: ${path} cannot be read`);
      return undefined;
    }
  }
}
