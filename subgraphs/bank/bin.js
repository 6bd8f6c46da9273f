#!/usr/bin/env node
import '../../dist/subgraphs/bank/main.js';
