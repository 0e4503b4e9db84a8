/** Addresses of data sets on the Hugging Face hub: `hf://owner/name[@revision][:[config/]split]`. */

import { DataError } from '../errors';
import { configsOf } from './split-files';

export interface HubSpec {
  /** `owner/name`. */
  readonly repo: string;
  readonly revision: string;
  /** Folder of the configuration, where a repository has several. */
  readonly config?: string;
  readonly split?: string;
}

/**
 * Parses a hub address.
 * @throws DataError `spec`
 */
export function parseHubSpec(text: string): HubSpec {
  const match = /^hf:\/\/(?:datasets\/)?([\w.-]+(?:\/[\w.-]+)?)(?:@([\w./-]+))?(?::(?:([\w.-]+)\/)?([\w.-]+))?$/.exec(
    text,
  );
  if (!match) {
    throw new DataError('spec', `${JSON.stringify(text)} is not hf://owner/name[@revision][:[config/]split]`);
  }
  const [, repo, revision = 'main', config, split] = match;
  return { repo: repo!, revision, ...(config && { config }), ...(split && { split }) };
}

/** The files of the configuration that the address names, or all. */
export function inConfig(paths: readonly string[], { config }: HubSpec): string[] {
  return paths.filter((path) => !config || path.split('/').slice(0, -1).includes(config));
}

/**
 * Refuses files that belong to several configurations at once.
 * @throws DataError ambiguous-source
 */
export function checkOneConfig(paths: readonly string[], { repo, config }: HubSpec): void {
  const configs = configsOf(paths);
  if (config || configs.length < 2) return;
  throw new DataError(
    'ambiguous-source',
    `hf://${repo} has several configurations (${configs.map((name) => name || '(top)').join(', ')}): ` +
      `name one, e.g. hf://${repo}:${configs.find(Boolean)?.split('/').at(-1)}/train`,
  );
}
