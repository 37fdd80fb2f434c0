// The description of the API as a page, from openapi.json; nothing is loaded from elsewhere.

function element(kind, text, children = []) {
  const made = Object.assign(document.createElement(kind), text === null ? {} : { textContent: text });
  made.append(...children);
  return made;
}

/** Words between backticks are code. */
function withCode(kind, text) {
  const parts = text.split("`").map((part, index) => (index % 2 ? element("code", part) : part));
  return element(kind, null, parts);
}

function table(headings, rows) {
  const cells = headings.map((text) => Object.assign(element("th", text), { scope: "col" }));
  const body = rows.map((row) => element("tr", null, row.map((cell) => (cell instanceof Element ? element("td", null, [cell]) : element("td", cell)))));
  return element("table", null, [element("thead", null, [element("tr", null, cells)]), element("tbody", null, body)]);
}

function typeOf(schema) {
  const shown = schema.anyOf?.find((each) => each.type !== "null") ?? schema;
  return (schema.enum ?? shown.enum)?.join(", ") ?? [shown.type, shown.minimum, shown.maximum].filter((each) => each !== undefined).join(" ");
}

function operation(path, method, about) {
  const section = element("section", null, [
    element("h2", `${method.toUpperCase()} ${path}`), element("p", `${about.summary}.`), withCode("p", about.description ?? ""),
  ]);
  if (about.requestBody) section.append(element("p", `Body: ${about.requestBody.description}`));
  if (about.parameters?.length) {
    const rows = about.parameters.map((each) => [each.name, typeOf(each.schema), withCode("span", each.description ?? "")]);
    section.append(table(["Parameter", "Values", "Meaning"], rows));
  }
  const forms = Object.keys((about.responses["200"] ?? about.responses["202"])?.content ?? {});
  if (forms.length) section.append(element("p", `Answers: ${forms.join(", ")}`));
  return section;
}

const command = document.querySelector(".command");
command.textContent = command.textContent.replaceAll("{server}", new URL(".", location.href).href);
const description = await (await fetch("openapi.json")).json();
for (const [path, methods] of Object.entries(description.paths)) {
  for (const [method, about] of Object.entries(methods)) {
    document.getElementById("operations").append(operation(path, method, about));
  }
}
const operations = Object.values(description.paths).flatMap((methods) => Object.values(methods));
const responses = Object.assign({}, ...operations.map((each) => each.responses));
for (const [status, about] of Object.entries(responses)) {
  if (status < 400) continue;
  const row = element("tr", null, [element("td", status), element("td", about.description)]);
  row.id = about["x-type"] ?? status;
  document.getElementById("statuses").append(row);
}
// A refusal's type leads to its row, which wasn't there when the browser looked for it.
if (location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView();
