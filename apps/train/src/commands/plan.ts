/** `franca-train plan`: the compiled plan of a configuration, without running it and without a GPU. */
import type { Command } from 'commander';
import { examples } from '../command-line';
import { derive } from '../config/derive';
import { settingsWithoutEffect } from '../config/no-effect';
import { type ConfigOptions, configFrom, withConfig } from '../options/config-options';
import { positiveInteger } from '../options/option-values';

interface Options extends ConfigOptions {
  readonly target: string;
  readonly devices: number;
  readonly ops: number;
  readonly json?: true;
}

/** Adds the command. */
export function register(program: Command): void {
  withConfig(program.command('plan'))
    .description(
      'kernels, arithmetic, memory and expected time of a training step, without running it and without a GPU',
    )
    .option(
      '--target <name>',
      'adapter to plan for: default (WebGPU without extras), this, h100-like, h200-like, rtx4090-like, rx7900xtx-like',
      'default',
    )
    .option('--devices <n>', 'devices that train together', positiveInteger, 1)
    .option('--ops <n>', 'how many ops to list', positiveInteger, 12)
    .option('--json', 'the report for machines')
    .addHelpText(
      'after',
      examples([
        [
          'franca-train plan -c official-in21k-vitb14 --target h100-like',
          'what the recipe of ViT-B takes, and how long',
        ],
        ['franca-train plan -c gpu-small --target this', 'and a small one on this machine'],
        ['franca-train plan -c gpu-base train.batch_size_per_gpu=128', 'with another batch'],
      ]),
    )
    .action(async (overrides: string[], options: Options) => {
      const resolved = configFrom(options, overrides);
      const { config } = resolved;
      for (const text of settingsWithoutEffect(resolved)) console.error(text);
      // loaded here, so that other commands start without them
      const [
        { targetNamed },
        { planOrExplain },
        { describePlan },
        { costReport },
        { knownRates, withRates },
        { checkPrecision },
      ] = await Promise.all([
        import('../plan/named-adapters'),
        import('../plan/fitting-batch'),
        import('../plan/describe-plan'),
        import('../plan/describe-costs'),
        import('../doctor/rates'),
        import('../run/precision'),
      ]);
      const target = await targetNamed(options.target);
      const machine = { size: options.devices, rank: 0, f16: target.f16 && target.family === 'gpu' };
      const derived = derive(config, machine);
      checkPrecision(derived, target);
      const rates = options.target === 'this' ? await knownRates(target.name) : undefined;
      const began = performance.now();
      const fitted = planOrExplain(config, { target: withRates(target, rates, derived.precision), machine });
      const planning = (performance.now() - began) / 1000;
      if (options.json)
        console.log(
          JSON.stringify(
            {
              target: target.name,
              precision: derived.precision,
              memory: fitted.choice,
              ...fitted.plan.report,
              ...costReport(fitted.plan),
            },
            undefined,
            2,
          ),
        );
      else for (const line of describePlan(fitted, { planning, ops: options.ops })) console.log(line);
    });
}
