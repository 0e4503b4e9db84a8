import { describe, expect, it } from 'vitest';
import { defaultCacheDir } from './cache-dir';

describe.skipIf(process.platform === 'win32')('defaultCacheDir', () => {
  it('follows XDG_CACHE_HOME', () => {
    expect(defaultCacheDir({ XDG_CACHE_HOME: '/caches', HOME: '/home/ada' })).toBe('/caches/franca');
  });

  it('is ~/.cache without it, or when it is relative', () => {
    expect(defaultCacheDir({ HOME: '/home/ada' })).toBe('/home/ada/.cache/franca');
    expect(defaultCacheDir({ XDG_CACHE_HOME: 'caches', HOME: '/home/ada' })).toBe('/home/ada/.cache/franca');
  });
});
