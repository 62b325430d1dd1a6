// Command generator plants mutants in Go packages, all of them at once and none switched on.
//
//	go run main.go FOLDER IMPORT TASK > mutants.json
//
// It changes the files below FOLDER in place. Each mutant becomes a call of package IMPORT with a number, which
// behaves as the original unless that number is switched on; see ../switch.go.txt. No line is added or removed, so
// that a line of a changed file is the same line of the original. TASK names, in JSON, the packages to change, and the
// numbers to leave out because what they make does not compile. It prints a list of all others.
package main

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"log"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
)

type task struct {
	Packages []string `json:"packages"`
	Without  []int    `json:"without"`
}

type mutant struct {
	ID       int    `json:"id"`
	File     string `json:"file"`
	Line     int    `json:"line"`
	Function string `json:"function"`
	Kind     string `json:"kind"`
	Original string `json:"original"`
}

// An insertion of text before an offset, in place of so many bytes. Of several at one offset, those that end
// something come first, the inner before the outer; then those that begin something, the outer before the inner.
type insertion struct {
	offset, length int
	text           string
	ends           bool
	order          int
}

// A call that only tells a human something: without it, nothing else is different.
var logging = regexp.MustCompile(`(?i)^(.*\.)?(log|logctx|logger|klog|logutil|recorder)(\(.*\))?\.[\w.]+\(|\.(Info|Warn|Debug|Error)f?\(`)

var (
	boundaries = map[token.Token]string{token.LSS: "Less", token.LEQ: "LessEqual", token.GTR: "Greater", token.GEQ: "GreaterEqual"}
	arithmetic = map[token.Token]string{token.ADD: "Add", token.SUB: "Subtract", token.MUL: "Multiply", token.QUO: "Divide"}
)

func main() {
	log.SetFlags(0)
	folder, path := os.Args[1], os.Args[2]
	var task task
	if err := json.Unmarshal([]byte(os.Args[3]), &task); err != nil {
		log.Fatal(err)
	}
	without := map[int]bool{}
	for _, id := range task.Without {
		without[id] = true
	}
	all := []mutant{}
	last := 0
	for _, name := range task.Packages {
		files, err := filepath.Glob(filepath.Join(folder, name, "*.go"))
		if err != nil || len(files) == 0 {
			log.Fatalf("package %s has no files", name)
		}
		sort.Strings(files)
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			relative, _ := filepath.Rel(folder, file)
			planter := plant(file, relative, without, &last)
			if len(planter.mutants) > 0 {
				planter.write(file, path)
				all = append(all, planter.mutants...)
			}
		}
	}
	if err := json.NewEncoder(os.Stdout).Encode(all); err != nil {
		log.Fatal(err)
	}
}

type planter struct {
	set        *token.FileSet
	syntax     *ast.File
	source     []byte
	relative   string
	function   string
	without    map[int]bool
	last       *int
	mutants    []mutant
	insertions []insertion
}

func plant(file, relative string, without map[int]bool, last *int) *planter {
	source, err := os.ReadFile(file)
	if err != nil {
		log.Fatal(err)
	}
	set := token.NewFileSet()
	syntax, err := parser.ParseFile(set, file, source, parser.ParseComments)
	if err != nil {
		log.Fatal(err)
	}
	p := &planter{set: set, syntax: syntax, source: source, relative: relative, without: without, last: last}
	for _, declaration := range syntax.Decls {
		if function, ok := declaration.(*ast.FuncDecl); ok && function.Body != nil {
			p.function = function.Name.Name
			ast.Inspect(function.Body, p.visit)
		}
	}
	return p
}

// visit plants what a node offers, and says whether its children are looked at.
func (p *planter) visit(node ast.Node) bool {
	switch each := node.(type) {
	case *ast.ForStmt:
		// A loop that never ends says nothing about what the tests notice.
		if each.Init != nil {
			ast.Inspect(each.Init, p.visit)
		}
		ast.Inspect(each.Body, p.visit)
		return false
	case *ast.IfStmt:
		p.wrap("condition negated", "Not", each.Cond)
	case *ast.SwitchStmt:
		if each.Tag == nil {
			for _, clause := range each.Body.List {
				for _, condition := range clause.(*ast.CaseClause).List {
					p.wrap("condition negated", "Not", condition)
				}
			}
		}
	case *ast.BinaryExpr:
		p.binary(each)
	case *ast.ExprStmt:
		p.statement(each)
	case *ast.ReturnStmt:
		p.values(each.Results)
	case *ast.AssignStmt:
		p.values(each.Rhs)
	case *ast.CallExpr:
		p.values(each.Args)
	case *ast.KeyValueExpr:
		p.values([]ast.Expr{each.Value})
	}
	return true
}

func (p *planter) binary(each *ast.BinaryExpr) {
	if each.Op == token.LAND || each.Op == token.LOR {
		p.wrap("operand negated", "Not", each.X)
		p.wrap("operand negated", "Not", each.Y)
	} else if name, ok := boundaries[each.Op]; ok {
		p.call("boundary moved", name, each)
	} else if name, ok := arithmetic[each.Op]; ok {
		p.call("operator changed", name, each)
		p.values([]ast.Expr{each.X, each.Y})
	}
}

// statement plants the removal of a call whose result nobody uses.
func (p *planter) statement(each *ast.ExprStmt) {
	call, ok := each.X.(*ast.CallExpr)
	if !ok || logging.MatchString(p.text(each)) {
		return
	}
	if name, ok := call.Fun.(*ast.Ident); ok && name.Name == "panic" {
		return
	}
	if id, ok := p.number(each, "call dropped"); ok {
		p.insert(each.Pos(), 0, fmt.Sprintf("if mutants.Keep(%d) { ", id), false, id)
		p.insert(each.End(), 0, " }", true, id)
	}
}

func (p *planter) values(values []ast.Expr) {
	for _, value := range values {
		switch each := value.(type) {
		case *ast.BasicLit:
			if each.Kind == token.INT {
				p.wrap("number increased", "Increased", each)
			}
		case *ast.Ident:
			if each.Name == "true" || each.Name == "false" {
				p.wrap("boolean negated", "Not", each)
			}
		}
	}
}

// wrap plants a function around an expression.
func (p *planter) wrap(kind, function string, each ast.Expr) {
	if id, ok := p.number(each, kind); ok {
		p.insert(each.Pos(), 0, fmt.Sprintf("mutants.%s(%d, ", function, id), false, id)
		p.insert(each.End(), 0, ")", true, id)
	}
}

// call plants a function in place of an operator.
func (p *planter) call(kind, function string, each *ast.BinaryExpr) {
	if id, ok := p.number(each, kind); ok {
		p.insert(each.Pos(), 0, fmt.Sprintf("mutants.%s(%d, ", function, id), false, id)
		p.insert(each.OpPos, len(each.Op.String()), ",", false, id)
		p.insert(each.End(), 0, ")", true, id)
	}
}

// What follows an error is left out: where its test is negated, nearly every call ends at once, and any test notices.
var failure = regexp.MustCompile(`^\w*[eE]rr\w* [!=]= nil$`)

// number gives each place its number, whether or not it is left out, so that numbers stay what they are.
func (p *planter) number(each ast.Node, kind string) (int, bool) {
	*p.last++
	id := *p.last
	if p.without[id] || failure.MatchString(p.text(each)) {
		return id, false
	}
	place := p.set.Position(each.Pos())
	p.mutants = append(p.mutants, mutant{id, p.relative, place.Line, p.function, kind, p.text(each)})
	return id, true
}

func (p *planter) text(each ast.Node) string {
	text := p.source[p.offset(each.Pos()):p.offset(each.End())]
	return strings.Join(strings.Fields(string(text)), " ")
}

func (p *planter) offset(place token.Pos) int {
	return p.set.Position(place).Offset
}

func (p *planter) insert(place token.Pos, length int, text string, ends bool, order int) {
	p.insertions = append(p.insertions, insertion{p.offset(place), length, text, ends, order})
}

func (p *planter) write(file, path string) {
	p.insert(p.syntax.Name.End(), 0, fmt.Sprintf("; import mutants %q", path), true, 0)
	sort.SliceStable(p.insertions, func(i, j int) bool {
		a, b := p.insertions[i], p.insertions[j]
		if a.offset != b.offset {
			return a.offset < b.offset
		}
		if a.ends != b.ends {
			return a.ends
		}
		return (a.order < b.order) != a.ends
	})
	var changed strings.Builder
	done := 0
	for _, each := range p.insertions {
		changed.Write(p.source[done:each.offset])
		changed.WriteString(each.text)
		done = each.offset + each.length
	}
	changed.Write(p.source[done:])
	if err := os.WriteFile(file, []byte(changed.String()), 0o600); err != nil {
		log.Fatal(err)
	}
}
