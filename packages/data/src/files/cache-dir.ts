/** Where this package keeps what it downloads: the user's cache folder, where the platform has it. */

import { homedir } from 'node:os';
import path from 'node:path';
import { checkArgument } from '../errors';

/** `$XDG_CACHE_HOME/franca`, else `%LOCALAPPDATA%\franca` on Windows, else `~/.cache/franca`. */
export function defaultCacheDir(env: Readonly<Record<string, string | undefined>> = process.env): string {
  checkArgument('defaultCacheDir', 'env', env, 'object');
  const { XDG_CACHE_HOME, LOCALAPPDATA } = env;
  // The XDG specification says that relative paths are to be ignored.
  if (XDG_CACHE_HOME && path.isAbsolute(XDG_CACHE_HOME)) return path.join(XDG_CACHE_HOME, 'franca');
  if (process.platform === 'win32' && LOCALAPPDATA) return path.join(LOCALAPPDATA, 'franca');
  return path.join(env.HOME || homedir(), '.cache', 'franca');
}
