"""The chain of migrations, read without running any: prints the heads."""
import ast
import pathlib

VERSIONS = pathlib.Path(__file__).parent / "versions"


def constants(path):
    values = {}
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
            values[node.targets[0].id] = node.value.value
    return values


def read(folder=VERSIONS):
    """{revision: down_revision} of every file."""
    chain = {}
    for path in sorted(folder.glob("*.py")):
        values = constants(path)
        if values["revision"] in chain:
            raise ValueError(f"{path.name}: revision {values['revision']} twice")
        chain[values["revision"]] = values["down_revision"]
    return chain


def heads(chain):
    return sorted(set(chain) - set(chain.values()))


if __name__ == "__main__":
    print(" ".join(heads(read())))
