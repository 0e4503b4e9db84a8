import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { derive } from './derive';
import { loadConfig } from './load';
import { listPresets, presetNamed } from './presets';

test.each(listPresets())('preset $name loads, is consistent and says what it is', ({ name, facts }) => {
  expect(() => derive(loadConfig([name]).config)).not.toThrow();
  expect(Object.keys(facts)).toEqual(['what', 'command', 'memory', 'time', 'k-NN']);
  expect(facts.command).toContain(`--config ${name}`);
});

test('cpu-small is cpu-tiny for longer', () => {
  const [tiny, small] = ['cpu-tiny', 'cpu-small'].map((name) => loadConfig([name!]).config);
  expect(small).toEqual({
    ...tiny,
    optim: { ...tiny!.optim, epochs: small!.optim.epochs },
    evaluation: small!.evaluation,
    franca: { ...tiny!.franca, log: small!.franca.log, knn: small!.franca.knn },
  });
  expect(small!.optim.epochs).toBeGreaterThan(tiny!.optim.epochs);
});

test('cpu-world is cpu-tiny but for crops, colours, levels and steps', () => {
  const [tiny, world] = ['cpu-tiny', 'cpu-world'].map((name) => loadConfig([name!]).config);
  expect(world).toEqual({
    ...tiny,
    train: { ...tiny!.train, OFFICIAL_EPOCH_LENGTH: world!.train.OFFICIAL_EPOCH_LENGTH },
    optim: { ...tiny!.optim, epochs: world!.optim.epochs },
    crops: { ...tiny!.crops, global_crops_scale: world!.crops.global_crops_scale },
    franca: {
      ...tiny!.franca,
      nesting_list: world!.franca.nesting_list,
      augment: world!.franca.augment,
      knn: world!.franca.knn,
    },
  });
});

test('a preset is found by its name and by nothing else', () => {
  expect(presetNamed('cpu-tiny')).toMatch(/cpu-tiny\.yaml$/);
  expect(presetNamed('../presets/cpu-tiny')).toBeUndefined();
  expect(presetNamed('no-such')).toBeUndefined();
});

// the published recipes with the corrections that each preset states
test.each([
  ['official-in21k-vitb14', 625_000, 100_000, 9.9136e-4, 0.1, [0.32, 1], [0.05, 0.32]],
  ['official-in21k-vitl14', 625_000, 100_000, 3.4641e-4, 0.4, [0.32, 1], [0.05, 0.32]],
  ['official-in21k-vitg14', 625_000, 100_000, 3.4641e-4, 0.4, [0.32, 1], [0.05, 0.32]],
  ['official-laion-vitl14', 625_000, 100_000, 3.4641e-4, 0.4, [0.48, 1], [0.05, 0.32]],
  ['official-laion-vitg14', 625_000, 100_000, 3.4641e-4, 0.4, [0.45, 1], [0.05, 0.45]],
  ['official-highres-vitb14', 20_000, 10_000, 9.9702e-5, 0.1, [0.32, 1], [0.05, 0.32]],
  ['official-highres-vitl14', 20_000, 10_000, 2.1355e-5, 0.1, [0.32, 1], [0.05, 0.32]],
] as const)('%s is the published recipe', (name, iterations, warmup, lr, drop, globalScale, localScale) => {
  const { config } = loadConfig([name]);
  const { schedule, dropPathRates } = derive(config);
  expect(schedule).toMatchObject({
    iterations,
    warmup,
    weightDecay: [0.04, 0.2],
    momentum: [0.994, 1],
    teacherTemp: [0.04, 0.07],
  });
  expect(schedule.lr).toBeCloseTo(lr, 8);
  expect(schedule.teacherTempWarmup).toBe(name.includes('highres') ? 6000 : 37_500);
  expect(dropPathRates[0]).toBe(drop);
  expect(config.crops).toMatchObject({
    global_crops_scale: globalScale,
    local_crops_scale: localScale,
    local_crops_number: 8,
    local_crops_size: 98,
  });
  expect(readFileSync(presetNamed(name)!, 'utf8')).not.toMatch(/\broot=/);
});
