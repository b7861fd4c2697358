/** How the project is compiled: one strict configuration for checking everything, one that builds `src` into `dist`. */
import type { TargetFile } from "../target-file.js";

const jsonText = (value: object): string => `${JSON.stringify(value, null, 2)}\n`;

export function compilerFiles(): TargetFile[] {
  const options = {
    target: "ES2023",
    lib: ["ES2023", "ES2024.String"],
    types: ["node"],
    module: "NodeNext",
    moduleResolution: "NodeNext",
    strict: true,
    noUncheckedIndexedAccess: true,
    exactOptionalPropertyTypes: true,
    noImplicitOverride: true,
    noImplicitReturns: true,
    noFallthroughCasesInSwitch: true,
    noUnusedLocals: true,
    noUnusedParameters: true,
    verbatimModuleSyntax: true,
    isolatedModules: true,
    erasableSyntaxOnly: true,
    forceConsistentCasingInFileNames: true,
    skipLibCheck: true,
    sourceMap: true,
    noEmit: true,
  };
  const build = { noEmit: false, rootDir: "src", outDir: "dist" };
  return [
    {
      path: "tsconfig.json",
      owner: "merged",
      content: jsonText({ compilerOptions: options, include: ["src", "tests"] }),
    },
    {
      path: "tsconfig.build.json",
      owner: "merged",
      content: jsonText({ extends: "./tsconfig.json", compilerOptions: build, include: ["src"] }),
    },
  ];
}
