import { describe, expect, test } from 'vitest';
import { adapterOfRank, type CardOfRank, crowdedCards } from './adapter-of-rank';

describe('the adapter of a rank', () => {
  const four = Array<string>(4).fill('NVIDIA H100 80GB HBM3');
  const six = [0, 1, 2, 3, 4, 5];
  const adapters = (gpus: readonly string[], visible: string): string[] =>
    six.map((localRank) => adapterOfRank(localRank, gpus, visible));

  test('is one card after the other, and the first again after the last', () => {
    expect(adapters(four, '')).toEqual(['gpu:0', 'gpu:1', 'gpu:2', 'gpu:3', 'gpu:0', 'gpu:1']);
  });

  test('is what there is where there is one GPU or none', () => {
    expect(adapters(four.slice(0, 1), '')).toEqual(Array(6).fill('auto'));
    expect(adapters([], '0,1')).toEqual(Array(6).fill('auto'));
  });

  test('is one of the cards that the scheduler names', () => {
    expect(adapters(four, '3,1')).toEqual(['gpu:3', 'gpu:1', 'gpu:3', 'gpu:1', 'gpu:3', 'gpu:1']);
    // each of the processes is told another card
    expect(adapterOfRank(1, four, '2')).toBe('gpu:2');
  });

  test('is any of those listed where the scheduler counts cards that are not', () => {
    expect(adapters(four, '4,5,6,7')).toEqual(adapters(four, ''));
  });

  test('is refused where cards are named by what Vulkan does not know', () => {
    expect(() => adapterOfRank(0, four, 'GPU-b668a901,1')).toThrow(
      /GPU-b668a901, which Vulkan cannot be asked for.*FRANCA_ADAPTER/,
    );
  });

  test('is refused for what is no rank or no list', () => {
    expect(() => adapterOfRank(-1, four)).toThrow(/localRank is -1/);
    expect(() => adapterOfRank(0, Promise.resolve(four) as never)).toThrow(/await listGpus/);
  });
});

describe('ranks that share a card', () => {
  const on = (host: string, adapters: readonly string[], gpus: number): CardOfRank[] =>
    adapters.map((adapter, rank) => ({ rank, host, adapter, name: 'NVIDIA H100', gpus }));

  test('are named where another card does nothing', () => {
    expect(crowdedCards(on('node7', ['auto', 'gpu:1', 'gpu', 'gpu:0'], 4))).toEqual([
      expect.stringMatching(/^ranks 0, 2, 3 of node7 compute on one NVIDIA H100, though 4 GPUs are listed there; /),
    ]);
  });

  test('are as they must be where every card has one', () => {
    expect(crowdedCards(on('node7', ['gpu:0', 'gpu:1', 'gpu:0', 'gpu:1'], 2))).toEqual([]);
  });

  test('are none where a card has one rank, is the only one seen, or is on another computer', () => {
    expect(crowdedCards(on('node7', ['gpu:0', 'gpu:2'], 4))).toEqual([]);
    expect(crowdedCards(on('node7', ['auto', 'auto'], 1))).toEqual([]);
    expect(crowdedCards([...on('node7', ['gpu:0'], 4), ...on('node8', ['gpu:0'], 4)])).toEqual([]);
    expect(crowdedCards(on('laptop', ['auto', 'auto'], 0))).toEqual([]);
  });
});
