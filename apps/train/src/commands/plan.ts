/** `franca-train plan`: the compiled plan of a configuration, without running it and without a GPU. */
import type { Command } from 'commander';
import { examples } from '../command-line';
import { derive } from '../config/derive';
import { settingsWithoutEffect } from '../config/no-effect';
import { type ConfigOptions, configFrom, withConfig } from '../options/config-options';
import { gigabytes, positiveInteger } from '../options/option-values';
import type { AskedCluster } from '../plan/cluster';

interface Options extends ConfigOptions, AskedCluster {
  readonly from?: string;
  readonly target: string;
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
    .option('--from <weights>', 'weights to start from, whose architecture is planned, as for pretrain')
    .option('--ops <n>', 'how many ops to list', positiveInteger, 12)
    .option('--ranks <n>', 'ranks that train together, a device each: how they scale up to so many', positiveInteger, 1)
    .option(
      '--link <GB/s>',
      "what a rank sends, and receives at once, between nodes: its share of its node's network",
      gigabytes,
    )
    .option('--pcie <GB/s>', 'between a device and the memory of its node, each way', gigabytes)
    .option('--memory <GB/s>', 'what a rank sends to those on its own node while all of them do', gigabytes)
    .option('--ranks-per-node <n>', 'ranks of a node (default: 8)', positiveInteger)
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
        [
          'franca-train plan -c official-in21k-vitl14 --target h100-like --ranks 64 --link 25 train.batch_size_per_gpu=48',
          'how 64 ranks scale, 8 on a node, each with 200 Gbit/s between nodes',
        ],
      ]),
    )
    .action(async (overrides: string[], options: Options) => {
      const { startOf, withWeights } = await import('../run/choose-start');
      const chosen = configFrom(options, overrides);
      const { resolved } = await withWeights(chosen, startOf(chosen.config, undefined, options), undefined, options);
      const { config } = resolved;
      for (const text of settingsWithoutEffect(chosen)) console.error(text);
      // loaded here, so that other commands start without them
      const [
        { targetNamed },
        { planOrExplain },
        { describePlan },
        { scaleOf },
        { scaleLines },
        { clusterOf },
        { costReport },
        { knownRates, withRates },
        { checkPrecision },
        { teacherOf },
      ] = await Promise.all([
        import('../plan/named-adapters'),
        import('../plan/fitting-batch'),
        import('../plan/describe-plan'),
        import('../plan/scale'),
        import('../plan/describe-scale'),
        import('../plan/cluster'),
        import('../plan/describe-costs'),
        import('../doctor/rates'),
        import('../run/precision'),
        import('../run/distillation-teacher'),
      ]);
      const target = await targetNamed(options.target);
      const f16 = target.f16 && target.family === 'gpu';
      const machine = { size: options.ranks, rank: 0, f16, teacher: await teacherOf(config) };
      const derived = derive(config, machine);
      checkPrecision(derived, target);
      const cluster = clusterOf(target, options);
      const rates = options.target === 'this' ? await knownRates(target.name) : undefined;
      const began = performance.now();
      const fitted = planOrExplain(config, { target: withRates(target, rates, derived.precision), machine });
      const scale = cluster && scaleOf(fitted, cluster);
      const planning = (performance.now() - began) / 1000;
      if (options.json) {
        const { plan, choice: memory } = fitted;
        const about = { target: target.name, precision: derived.precision, memory };
        const ranks = scale && { ranks: { ...scale, ...cluster } };
        console.log(JSON.stringify({ ...about, ...plan.report, ...costReport(plan), ...ranks }, undefined, 2));
      } else {
        for (const line of describePlan(fitted, { planning, ops: options.ops })) console.log(line);
        if (scale) for (const line of scaleLines(scale, cluster)) console.log(line);
      }
    });
}
