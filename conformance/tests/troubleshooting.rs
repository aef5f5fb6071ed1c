//! The troubleshooting table names a case for each row; the case must show what the row says.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;

use serde_json::Value;

#[test]
fn every_symptom_is_reproduced_by_its_case() {
    let outcomes: BTreeMap<String, String> = ["cases.json", "genuine.json"].into_iter().flat_map(outcomes).collect();
    let page = std::fs::read_to_string("../docs/troubleshooting.md").expect("docs/troubleshooting.md");
    let (_, table) = page.split_once("<!-- troubleshooting -->\n").expect("the table");
    let (table, _) = table.split_once("<!-- end -->").expect("the end of the table");
    let rows: Vec<&str> = table.lines().skip(2).collect();
    assert!(rows.len() > 10, "the table is empty");
    for row in rows {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        let case = cells[3].trim_matches('`');
        let outcome =
            outcomes.get(case).unwrap_or_else(|| panic!("no case {case}, which docs/troubleshooting.md names: {row}"));
        if let Some(code) = cells[0].strip_prefix('`').and_then(|rest| rest.split('`').next())
            && outcome != "ok"
        {
            assert_eq!(outcome, code, "{case} shows another code than the page says");
        }
    }
}

fn outcomes(file: &str) -> Vec<(String, String)> {
    let cases: Vec<Value> = serde_json::from_slice(&std::fs::read(file).expect(file)).expect(file);
    let outcome = |case: &Value| {
        let code = case["expect"]["code"].as_str().unwrap_or("ok");
        (case["id"].as_str().expect("id").to_owned(), code.to_owned())
    };
    cases.iter().map(outcome).collect()
}
