#!/usr/bin/env node
/** The program: runs its arguments and ends with their exit status. */
import { runCli } from './run-cli';

process.exitCode = await runCli(process.argv.slice(2));
