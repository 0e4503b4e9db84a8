import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createCommandLine } from './command-line';
import { TrainError } from './errors';
import { describeError, runCli } from './run-cli';

const printed: string[] = [];
const complained: string[] = [];
beforeEach(() => {
  printed.length = 0;
  complained.length = 0;
  vi.spyOn(console, 'log').mockImplementation((line: string) => void printed.push(line));
  vi.spyOn(console, 'error').mockImplementation((line: string) => void complained.push(line));
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => Boolean(printed.push(String(text))));
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => Boolean(complained.push(String(text))));
});
afterEach(() => {
  vi.restoreAllMocks();
});

test('every command describes itself and shows examples', async () => {
  const program = await createCommandLine();
  expect(program.commands.length).toBeGreaterThanOrEqual(3);
  for (const command of program.commands) {
    expect(await runCli([command.name(), '--help'])).toBe(0);
    const help = printed.join('');
    expect(help, command.name()).toContain(`Usage: franca-train ${command.name()}`);
    expect(help, command.name()).toContain('Examples:');
    printed.length = 0;
  }
});

test('wrong usage and wrong settings end with 2, failures with 1, each in one clear line', async () => {
  expect(await runCli(['confg'])).toBe(2);
  expect(complained.join('')).toContain('Did you mean config?');
  complained.length = 0;
  expect(await runCli(['config', 'optim.base_lrr=1'])).toBe(2);
  expect(complained).toEqual([
    'franca-train: command line: there is no setting "optim.base_lrr"; did you mean "optim.base_lr"?',
  ]);
  complained.length = 0;
  expect(await runCli(['config', '-c', 'cpu-tinny'])).toBe(1);
  expect(complained).toEqual([
    'franca-train: configuration cpu-tinny does not exist; give a YAML file or a preset: did you mean cpu-tiny?',
  ]);
});

test('config prints YAML that loads again, and where values come from', async () => {
  expect(
    await runCli([
      'config',
      '-c',
      'cpu-tiny',
      '-c',
      'official-in21k-vitb14',
      'optim.epochs=3',
      'optim.warmup_epochs=1',
    ]),
  ).toBe(0);
  expect(printed[0]).toMatch(/^optim:\n {2}epochs: 3$/m);
  printed.length = 0;
  expect(
    await runCli(['config', '-c', 'official-in21k-vitb14', '--explain', 'optim.epochs=3', 'optim.warmup_epochs=1']),
  ).toBe(0);
  expect(printed[0]).toMatch(/^optim\.epochs = 3 +command line$/m);
  expect(printed[0]).toMatch(/^optim\.base_lr = 0\.000701 +official-in21k-vitb14$/m);
  expect(printed[0]).toMatch(/^iterations +3750, of which 1250 warm-up$/m);
});

test('an error that nobody foresaw says how to see where it came from', () => {
  expect(describeError(new TypeError('x is not a function'))).toBe(
    'franca-train: unexpected TypeError: x is not a function (FRANCA_DEBUG=1 shows where)',
  );
  expect(describeError(new TrainError('data', 'no images'))).toBe('franca-train: no images');
  vi.stubEnv('FRANCA_DEBUG', '1');
  expect(describeError(new TrainError('data', 'no images'))).toMatch(/TrainError: no images\n +at /);
  vi.unstubAllEnvs();
});
