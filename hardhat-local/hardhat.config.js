// Hardhat: a second chain to run the tests of the Ledger port on, and a third compiler run whose
// bytecode must equal the others'. It takes npm's compiler directly and downloads none.
import { createRequire } from "node:module";
import { defineConfig } from "hardhat/config";

const require = createRequire(import.meta.url);
const { version, settings } = require("./compiler.json");

export default defineConfig({
  solidity: { version, settings, path: require.resolve("solc/soljson.js") },
  paths: {
    sources: "contracts",
    artifacts: "../build/hardhat/artifacts",
    cache: "../build/hardhat/cache",
  },
  networks: {
    node: { type: "edr-simulated", chainType: "l1", hardfork: "osaka", initialBaseFeePerGas: 0 },
  },
});
