// A provider whose objects are files, and that fails where it is told to.
//
// files_object is a file. Its `trouble`, and the words in a file `<path>.trouble` beside it, say
// what goes wrong:
//
//	create    its creation fails, and nothing is there
//	half      its creation fails, and the object is there (terraform taints it)
//	update    its update fails, and the old values are handed back
//	refuse    its update fails, though the new values are handed back, as AWS SDK providers do
//	delete    its deletion fails
//	late      its deletion is done and fails all the same
//	read      its refresh fails
//	heed      what is slow gives up when terraform asks it to stop
//
// `wait_for`: creation, update and deletion last until that file is there; `<wait_for>.reached`
// tells that one of them has begun to wait. `kind` and `path` can't be changed in place. `length`
// is never known before the content is. Where a file `<path>.noise` is, a refresh finds {} in
// `labels` instead of null.
package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/terraform-plugin-go/tfprotov5"
	"github.com/hashicorp/terraform-plugin-go/tfprotov5/tf5server"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

const address = "example.com/tfevents/files"

var attributes = []*tfprotov5.SchemaAttribute{
	{Name: "path", Type: tftypes.String, Required: true},
	{Name: "content", Type: tftypes.String, Optional: true},
	{Name: "secret", Type: tftypes.String, Optional: true, Sensitive: true},
	{Name: "kind", Type: tftypes.String, Optional: true},
	{Name: "trouble", Type: tftypes.String, Optional: true},
	{Name: "wait_for", Type: tftypes.String, Optional: true},
	{Name: "labels", Type: tftypes.Map{ElementType: tftypes.String}, Optional: true},
	{Name: "id", Type: tftypes.String, Computed: true},
	{Name: "length", Type: tftypes.Number, Computed: true},
}

var readable = []*tfprotov5.SchemaAttribute{
	{Name: "path", Type: tftypes.String, Required: true},
	{Name: "content", Type: tftypes.String, Computed: true},
}

func schema(attributes []*tfprotov5.SchemaAttribute) *tfprotov5.Schema {
	return &tfprotov5.Schema{Block: &tfprotov5.SchemaBlock{Attributes: attributes}}
}

// provider answers what terraform asks of a small provider; the rest of the protocol is never asked.
type provider struct {
	tfprotov5.ProviderServer
	stopped chan struct{}
	stop    sync.Once
}

func main() {
	server := &provider{stopped: make(chan struct{})}
	serve := func() tfprotov5.ProviderServer { return server }
	if err := tf5server.Serve(address, serve); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func (p *provider) GetMetadata(context.Context, *tfprotov5.GetMetadataRequest) (*tfprotov5.GetMetadataResponse, error) {
	return &tfprotov5.GetMetadataResponse{
		Resources:   []tfprotov5.ResourceMetadata{{TypeName: "files_object"}},
		DataSources: []tfprotov5.DataSourceMetadata{{TypeName: "files_object"}},
	}, nil
}

func (p *provider) GetProviderSchema(context.Context, *tfprotov5.GetProviderSchemaRequest) (*tfprotov5.GetProviderSchemaResponse, error) {
	return &tfprotov5.GetProviderSchemaResponse{
		Provider:          schema(nil),
		ResourceSchemas:   map[string]*tfprotov5.Schema{"files_object": schema(attributes)},
		DataSourceSchemas: map[string]*tfprotov5.Schema{"files_object": schema(readable)},
	}, nil
}

func (p *provider) PrepareProviderConfig(_ context.Context, asked *tfprotov5.PrepareProviderConfigRequest) (*tfprotov5.PrepareProviderConfigResponse, error) {
	return &tfprotov5.PrepareProviderConfigResponse{PreparedConfig: asked.Config}, nil
}

func (p *provider) ConfigureProvider(context.Context, *tfprotov5.ConfigureProviderRequest) (*tfprotov5.ConfigureProviderResponse, error) {
	return &tfprotov5.ConfigureProviderResponse{}, nil
}

func (p *provider) StopProvider(context.Context, *tfprotov5.StopProviderRequest) (*tfprotov5.StopProviderResponse, error) {
	p.stop.Do(func() { close(p.stopped) })
	return &tfprotov5.StopProviderResponse{}, nil
}

func (p *provider) ValidateResourceTypeConfig(context.Context, *tfprotov5.ValidateResourceTypeConfigRequest) (*tfprotov5.ValidateResourceTypeConfigResponse, error) {
	return &tfprotov5.ValidateResourceTypeConfigResponse{}, nil
}

func (p *provider) ValidateDataSourceConfig(context.Context, *tfprotov5.ValidateDataSourceConfigRequest) (*tfprotov5.ValidateDataSourceConfigResponse, error) {
	return &tfprotov5.ValidateDataSourceConfigResponse{}, nil
}

func (p *provider) UpgradeResourceState(_ context.Context, asked *tfprotov5.UpgradeResourceStateRequest) (*tfprotov5.UpgradeResourceStateResponse, error) {
	value, err := asked.RawState.Unmarshal(schema(attributes).ValueType())
	if err != nil {
		return nil, err
	}
	return &tfprotov5.UpgradeResourceStateResponse{UpgradedState: pack(value)}, nil
}

func (p *provider) ReadResource(_ context.Context, asked *tfprotov5.ReadResourceRequest) (*tfprotov5.ReadResourceResponse, error) {
	found := unpack(asked.CurrentState)
	if found.troubled("read") {
		return &tfprotov5.ReadResourceResponse{NewState: asked.CurrentState, Diagnostics: fail(found, "refresh")}, nil
	}
	content, err := os.ReadFile(found.text("id"))
	if err != nil {
		return &tfprotov5.ReadResourceResponse{NewState: pack(nothing())}, nil
	}
	if string(content) != found.text("content") {
		found["content"] = tftypes.NewValue(tftypes.String, string(content))
	}
	found["length"] = tftypes.NewValue(tftypes.Number, len(content))
	if found["labels"].IsNull() && exists(found.text("path")+".noise") {
		found["labels"] = tftypes.NewValue(labels, map[string]tftypes.Value{})
	}
	return &tfprotov5.ReadResourceResponse{NewState: pack(found.value())}, nil
}

func (p *provider) PlanResourceChange(_ context.Context, asked *tfprotov5.PlanResourceChangeRequest) (*tfprotov5.PlanResourceChangeResponse, error) {
	answer := &tfprotov5.PlanResourceChangeResponse{PlannedState: asked.ProposedNewState, UnsafeToUseLegacyTypeSystem: true}
	prior, planned := unpack(asked.PriorState), unpack(asked.ProposedNewState)
	switch {
	case planned == nil:
		return answer, nil
	case prior == nil:
		planned["id"] = tftypes.NewValue(tftypes.String, tftypes.UnknownValue)
		planned["length"] = tftypes.NewValue(tftypes.Number, tftypes.UnknownValue)
	default:
		if !planned["content"].Equal(prior["content"]) {
			planned["length"] = tftypes.NewValue(tftypes.Number, tftypes.UnknownValue)
		}
		if planned["labels"].IsNull() && prior.empty("labels") {
			planned["labels"] = prior["labels"]
		}
		for _, name := range []string{"path", "kind"} {
			if !planned[name].Equal(prior[name]) {
				answer.RequiresReplace = append(answer.RequiresReplace, tftypes.NewAttributePath().WithAttributeName(name))
			}
		}
	}
	answer.PlannedState = pack(planned.value())
	return answer, nil
}

func (p *provider) ApplyResourceChange(_ context.Context, asked *tfprotov5.ApplyResourceChangeRequest) (*tfprotov5.ApplyResourceChangeResponse, error) {
	prior, planned := unpack(asked.PriorState), unpack(asked.PlannedState)
	if gaveUp := p.wait(prior, planned); gaveUp {
		return &tfprotov5.ApplyResourceChangeResponse{NewState: asked.PriorState, Diagnostics: fail(prior, "wait")}, nil
	}
	answer := &tfprotov5.ApplyResourceChangeResponse{UnsafeToUseLegacyTypeSystem: true}
	switch {
	case planned == nil:
		answer.NewState, answer.Diagnostics = remove(prior)
	case prior == nil:
		answer.NewState, answer.Diagnostics = create(planned)
	default:
		answer.NewState, answer.Diagnostics = update(prior, planned)
	}
	return answer, nil
}

func (p *provider) ImportResourceState(_ context.Context, asked *tfprotov5.ImportResourceStateRequest) (*tfprotov5.ImportResourceStateResponse, error) {
	found := object{}
	for _, attribute := range attributes {
		found[attribute.Name] = tftypes.NewValue(attribute.Type, nil)
	}
	found["id"] = tftypes.NewValue(tftypes.String, asked.ID)
	found["path"] = tftypes.NewValue(tftypes.String, asked.ID)
	imported := &tfprotov5.ImportedResource{TypeName: asked.TypeName, State: pack(found.value())}
	return &tfprotov5.ImportResourceStateResponse{ImportedResources: []*tfprotov5.ImportedResource{imported}}, nil
}

func (p *provider) ReadDataSource(_ context.Context, asked *tfprotov5.ReadDataSourceRequest) (*tfprotov5.ReadDataSourceResponse, error) {
	value, err := asked.Config.Unmarshal(schema(readable).ValueType())
	if err != nil {
		return nil, err
	}
	found := object{}
	if err := value.As((*map[string]tftypes.Value)(&found)); err != nil {
		return nil, err
	}
	content, err := os.ReadFile(found.text("path"))
	if err != nil {
		return &tfprotov5.ReadDataSourceResponse{Diagnostics: say("There is no " + found.text("path"))}, nil
	}
	found["content"] = tftypes.NewValue(tftypes.String, string(content))
	state, err := tfprotov5.NewDynamicValue(value.Type(), tftypes.NewValue(value.Type(), map[string]tftypes.Value(found)))
	return &tfprotov5.ReadDataSourceResponse{State: &state}, err
}

// create gives the object the first free name: beside one that is still to be destroyed.
func create(planned object) (*tfprotov5.DynamicValue, []*tfprotov5.Diagnostic) {
	if planned.troubled("create") {
		return pack(nothing()), fail(planned, "creation")
	}
	name := planned.text("path")
	for number := 1; exists(name); number++ {
		name = fmt.Sprintf("%s.%d", planned.text("path"), number)
	}
	planned["id"] = tftypes.NewValue(tftypes.String, name)
	return write(planned, planned.troubled("half"), "creation")
}

func update(prior, planned object) (*tfprotov5.DynamicValue, []*tfprotov5.Diagnostic) {
	if planned.troubled("update") {
		return pack(prior.value()), fail(planned, "update")
	}
	if planned.troubled("refuse") {
		planned["length"] = tftypes.NewValue(tftypes.Number, len(planned.text("content")))
		return pack(planned.value()), fail(planned, "update")
	}
	return write(planned, false, "update")
}

func write(planned object, fails bool, what string) (*tfprotov5.DynamicValue, []*tfprotov5.Diagnostic) {
	content := planned.text("content")
	if err := os.WriteFile(planned.text("id"), []byte(content), 0o600); err != nil {
		return pack(nothing()), say(err.Error())
	}
	planned["length"] = tftypes.NewValue(tftypes.Number, len(content))
	if fails {
		return pack(planned.value()), fail(planned, what)
	}
	return pack(planned.value()), nil
}

func remove(prior object) (*tfprotov5.DynamicValue, []*tfprotov5.Diagnostic) {
	if prior.troubled("delete") {
		return pack(prior.value()), fail(prior, "deletion")
	}
	os.Remove(prior.text("id"))
	if prior.troubled("late") {
		return pack(nothing()), fail(prior, "deletion")
	}
	return pack(nothing()), nil
}

// wait lasts until the file that an object waits for is there; true if it gave up before.
func (p *provider) wait(prior, planned object) bool {
	acting := planned
	if acting == nil {
		acting = prior
	}
	file := acting.text("wait_for")
	if file == "" {
		return false
	}
	os.WriteFile(file+".reached", nil, 0o600)
	var stopped chan struct{}
	if acting.troubled("heed") {
		stopped = p.stopped
	}
	for range 6000 {
		select {
		case <-stopped:
			return true
		case <-time.After(20 * time.Millisecond):
		}
		if exists(file) {
			return false
		}
	}
	return true
}

// object is a file's attributes; nil where there is none.
type object map[string]tftypes.Value

var labels = tftypes.Map{ElementType: tftypes.String}

func (o object) text(name string) string {
	var text string
	if value := o[name]; value.IsKnown() && !value.IsNull() {
		value.As(&text)
	}
	return text
}

func (o object) empty(name string) bool {
	var entries map[string]tftypes.Value
	return o[name].IsKnown() && o[name].As(&entries) == nil && len(entries) == 0
}

func (o object) troubled(word string) bool {
	beside, _ := os.ReadFile(o.text("path") + ".trouble")
	return slices.Contains(strings.Fields(o.text("trouble")+" "+string(beside)), word)
}

func (o object) value() tftypes.Value {
	return tftypes.NewValue(schema(attributes).ValueType(), map[string]tftypes.Value(o))
}

func nothing() tftypes.Value {
	return tftypes.NewValue(schema(attributes).ValueType(), nil)
}

func unpack(packed *tfprotov5.DynamicValue) object {
	value, err := packed.Unmarshal(schema(attributes).ValueType())
	if err != nil {
		panic(err)
	}
	if value.IsNull() {
		return nil
	}
	var found map[string]tftypes.Value
	if err := value.As(&found); err != nil {
		panic(err)
	}
	return found
}

func pack(value tftypes.Value) *tfprotov5.DynamicValue {
	packed, err := tfprotov5.NewDynamicValue(value.Type(), value)
	if err != nil {
		panic(err)
	}
	return &packed
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func fail(o object, what string) []*tfprotov5.Diagnostic {
	return say(fmt.Sprintf("The %s of %s fails, as it was told to", what, o.text("path")))
}

func say(summary string) []*tfprotov5.Diagnostic {
	return []*tfprotov5.Diagnostic{{Severity: tfprotov5.DiagnosticSeverityError, Summary: summary}}
}
