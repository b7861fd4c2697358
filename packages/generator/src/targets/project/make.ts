/** The Makefile: what one types in the project. */
import type { Model } from "../../model.js";
import { seededOf } from "../entity/seeds.js";
import type { TargetFile } from "../target-file.js";

export function makeFiles({ features, entities }: Model): TargetFile[] {
  const [example] = seededOf(entities);
  const seed =
    example === undefined
      ? ""
      : `
ENTITY ?= ${example.name.snake}
COUNT ?= 100

seed: build ## Make up records: make seed ENTITY=${example.name.snake} COUNT=1000
	npm run --silent seed -- --entity $(ENTITY) --count $(COUNT)
`;
  const compose = features.compose
    ? `
up: ## Start Redis, PostgreSQL and NATS in containers
	docker compose up -d --wait

down: ## Stop them; their data stays
	docker compose down
`
    : "";
  const phony = `help install build run test types verify migrate-up migrate-down clean${seed === "" ? "" : " seed"}${features.compose ? " up down" : ""}`;
  const content = `# Where the generator is: installed here or in a folder above, else on the PATH.
GENERATOR ?= $(firstword $(wildcard $(addsuffix /node_modules/.bin/clean-arch-generator,. .. ../.. ../../..)) clean-arch-generator)

.DEFAULT_GOAL := help
.PHONY: ${phony}

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-14s %s\\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: node_modules/.package-lock.json ## Install what the service needs

node_modules/.package-lock.json: package.json $(wildcard package-lock.json)
	@if [ -f package-lock.json ]; then npm ci; else npm install; fi
	@touch $@

build: install ## Compile src into dist
	npm run build

run: build ## Run the service in the foreground
	@exec node dist/main.js

test: install ## Run the tests
	npm test

types: install ## Check the types
	npm run types

verify: ## Check files, configuration, wiring, dependencies and layers
	@command -v $(firstword $(GENERATOR)) >/dev/null || { echo 'expected clean-arch-generator on the PATH; see README.md, "Generate again"'; exit 1; }
	$(GENERATOR) verify .

migrate-up: build ## Apply pending migrations of the configured database
	npm run migrate:up

migrate-down: build ## Take back the last migration
	npm run migrate:down
${seed}
clean: ## Remove what a build leaves; data stays
	rm -rf dist coverage *.tsbuildinfo
${compose}`;
  return [{ path: "Makefile", owner: "merged", content }];
}
