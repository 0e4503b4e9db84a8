import { existsSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { scratchFolder } from '../../test/scratch';
import { withFileLock } from './file-lock';

describe('withFileLock', () => {
  it('runs holders one after the other, and leaves nothing behind', async () => {
    const lock = path.join(scratchFolder(), 'sub/x.lock');
    let inside = 0;
    let most = 0;
    const task = async (): Promise<void> => {
      most = Math.max(most, ++inside);
      await pause(5);
      inside--;
    };
    await Promise.all([1, 2, 3].map(() => withFileLock(lock, task, { pollMs: 1 })));
    expect(most).toBe(1);
    expect(existsSync(lock)).toBe(false);
  });

  it('releases the lock when the task fails', async () => {
    const lock = path.join(scratchFolder(), 'x.lock');
    const failing = withFileLock(lock, async () => Promise.reject(new Error('failed')));
    await expect(failing).rejects.toThrow('failed');
    expect(existsSync(lock)).toBe(false);
  });

  it('takes over the lock of a holder that died', async () => {
    const lock = path.join(scratchFolder(), 'x.lock');
    writeFileSync(lock, '');
    utimesSync(lock, new Date(0), new Date(0));
    expect(await withFileLock(lock, async () => 'done')).toBe('done');
  });

  it('stops waiting when it is aborted', async () => {
    const lock = path.join(scratchFolder(), 'x.lock');
    writeFileSync(lock, '');
    const signal = AbortSignal.timeout(10);
    await expect(withFileLock(lock, async () => 'done', { pollMs: 1000, signal })).rejects.toThrow(/abort/i);
    expect(existsSync(lock)).toBe(true);
  });
});
