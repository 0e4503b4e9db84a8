import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { shellCommand, shellWord } from './shell';

it('leaves plain words alone', () => {
  expect(shellCommand(['franca-train', 'pretrain', '--out', 'runs/2026-01-01T00-00-00', 'train.seed=1'])).toBe(
    'franca-train pretrain --out runs/2026-01-01T00-00-00 train.seed=1',
  );
});

it('quotes so that a shell reads back the same words', () => {
  const words = ['my run', "it's", '$HOME', '~', 'a"b', 'a\\b', '', '*', 'ä b', '{1..3}'];
  const read = execFileSync('sh', ['-c', `printf '%s\\n' ${shellCommand(words)}`], { encoding: 'utf8' });
  expect(read.split('\n').slice(0, -1)).toEqual(words);
  expect(shellWord('runs/a')).toBe('runs/a');
});
